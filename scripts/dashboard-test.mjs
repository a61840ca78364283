// The dashboard in a browser: Chromium without a window, driven by playwright-core.
//
//   node scripts/dashboard-test.mjs [file]    also writes a picture of the page to that file
//
// Needs Debian's chromium, or another one that CHROMIUM names. playwright-core is installed into
// build/tools.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isMain, root, Tally } from './common.mjs';
import { Sandbox } from './sandbox.mjs';
import { toolDirectory } from './tools.mjs';

export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = () => existsSync(chromium);

const watchdogMs = 60_000;

/** Two processes that wait for each other, and one that works in peace. */
const busy = `
  const { Lock, Queue } = require(${JSON.stringify(path.join(root, 'lib/index.js'))});
  const [, own, other] = process.argv;
  const lock = new Lock({ name: own });
  lock.acquireSync();
  console.log('holds');
  process.stdin.once('data', () => {
    void new Lock({ name: other }).acquire();
    const queue = new Queue({ name: 'orders <b>' });
    setInterval(() => queue.tryPut(1) && queue.tryGet(), 20);
  });`;

function start(args, env) {
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const says = (what) =>
    new Promise((resolve, reject) => {
      const watchdog = setTimeout(() => reject(new Error(`never said ${what}`)), watchdogMs);
      const look = () => {
        const line = output.split('\n').find((one) => one.startsWith(what));
        if (line === undefined) return;
        clearTimeout(watchdog);
        child.stdout.off('data', look);
        resolve(line);
      };
      child.stdout.on('data', look);
      look();
    });
  const end = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('close', resolve);
      child.kill('SIGKILL');
    });
  return { says, end, tell: (text) => child.stdin.write(text) };
}

function must(condition, what) {
  if (!condition) throw new Error(what);
}

async function look(browser, url, file) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector('#summary strong', { timeout: watchdogMs });
  await page.waitForSelector('#waits .agent.suspect', { timeout: watchdogMs });
  await page.waitForSelector('#timeline rect', { timeout: watchdogMs });
  // The charts move: there is more than one sample.
  await page.waitForFunction(
    () => [...document.querySelectorAll('#objects polyline')].some((one) => one.points.length > 4),
    undefined,
    { timeout: watchdogMs },
  );
  const names = await page.$$eval('#objects tbody b', (all) => all.map((one) => one.textContent));
  for (const name of ['first', 'second', 'orders <b>']) must(names.includes(name), `no ${name}`);
  must((await page.$$('#objects tbody b b')).length === 0, 'a name has become markup');
  must((await page.$$('#waits .agent.suspect')).length === 2, 'not two suspects');
  const stroke = await page.$eval('#waits .edge.suspect', (one) => getComputedStyle(one).stroke);
  must(stroke === 'rgb(192, 24, 43)', `the style of the picture is not applied: ${stroke}`);
  must((await page.$$('#timeline rect')).length >= 2, 'no timeline');
  if (file !== undefined) await page.screenshot({ path: file, fullPage: true });
  must(errors.length === 0, `errors in the page: ${errors.join('; ')}`);
  return page;
}

/** Drives the page. Writes a picture of it to `file`, if that is given. */
export async function testDashboard(tally, file) {
  const directory = await toolDirectory('playwright-core', '1.56.1');
  const { chromium: engine } = createRequire(import.meta.url)(directory);
  const sandbox = new Sandbox();
  const env = { ...process.env, ...sandbox.env };
  const programs = [];
  const run = (...args) => {
    const program = start(args, env);
    programs.push(program);
    return program;
  };
  let browser;
  try {
    await tally.check('the dashboard in Chromium', async () => {
      const pair = [run('-e', busy, 'first', 'second'), run('-e', busy, 'second', 'first')];
      for (const one of pair) await one.says('holds');
      for (const one of pair) one.tell('go\n');
      const dashboard = run('lib/cli/main.js', 'dashboard');
      const url = await dashboard.says('http://');
      // Its sandbox needs rights that containers and root do not have.
      browser = await engine.launch({ executablePath: chromium, args: ['--no-sandbox'] });
      const page = await look(browser, url, file);
      await dashboard.end();
      await page.waitForSelector('body.lost', { timeout: watchdogMs });
    });
  } finally {
    await browser?.close();
    for (const program of programs) await program.end();
    sandbox.remove();
  }
}

if (isMain(import.meta)) {
  const tally = new Tally();
  await testDashboard(tally, process.argv[2]);
  tally.finish();
}
