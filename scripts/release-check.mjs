// Is this commit ready to be released? Looks at the tree, packs the tarball, and on each runtime of
// scripts/runtime-list.mjs installs it in an empty project and runs the lesson (demos/) from it.
//
//   npm run release:check                        everything
//   npm run release:check -- --only="node 24"    on the runtimes whose name contains that
//
// Needs the binaries: run `npm run prebuilds` before. If all checks have passed, on every runtime,
// the tarball is in build/release/ for `npm publish`; otherwise nothing is in there. The last line
// is `N passed, N failed`.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { die, isMain, knowOnly, mustRun, option, root, run, say, Tally } from './common.mjs';
import { names as lesson } from './demo.mjs';
import { pack, withTemporary } from './pack-test.mjs';
import { areCurrent, binaries } from './prebuilds.mjs';
import { runtimes, whyNotHere } from './runtime-list.mjs';
import { Sandbox } from './sandbox.mjs';

const watchdogMs = 10 * 60_000;
const kept = 'build/release';

const read = (file) => readFileSync(path.join(root, file), 'utf8');

function checkCommit() {
  const changed = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changed !== '') throw new Error(`not committed:\n${changed}`);
}

function checkVersion() {
  const { version } = JSON.parse(read('package.json'));
  if (!read('CHANGELOG.md').includes(`## [${version}]`)) {
    throw new Error(`CHANGELOG.md has no section [${version}]`);
  }
}

function checkBinaries() {
  const missing = binaries.filter((file) => !existsSync(path.join(root, file)));
  if (missing.length > 0) throw new Error(`not there: ${missing.join(', ')}; npm run prebuilds`);
  if (!areCurrent()) throw new Error('they are not of these sources; npm run prebuilds');
}

/** The demos as JavaScript, which every runtime takes. */
async function compileLesson(directory) {
  const output = path.join(directory, 'lesson');
  const files = ['say', ...lesson].map((name) => `demos/${name}.ts`);
  const options = ['--ignoreConfig', '--outDir', output, '--rootDir', 'demos'];
  options.push('--target', 'es2022', '--module', 'nodenext', '--moduleDetection', 'force');
  options.push('--lib', 'es2023,es2024.string,esnext.disposable', '--types', 'node');
  await mustRun(process.execPath, ['node_modules/typescript/bin/tsc', ...options, ...files], {
    timeoutMs: watchdogMs,
  });
  writeFileSync(path.join(output, 'package.json'), '{ "type": "module" }\n');
}

/** An empty project beside the lesson, with the tarball and no script run. */
async function install(directory, tarball) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'package.json'), '{ "private": true }\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await mustRun('npm', ['install', ...flags, tarball], { cwd: directory, timeoutMs: watchdogMs });
}

async function runDemo(runtime, directory, sandbox, name) {
  const [program, ...args] = await runtime.command();
  const { code, timedOut } = await run(program, [...args, `lesson/${name}.js`], {
    cwd: directory,
    env: { ...sandbox.env, ...(await runtime.env()), HOLDFAST_NATIVE: '' },
    timeoutMs: watchdogMs,
  });
  if (timedOut) throw new Error(`stopped after ${watchdogMs / 60_000} min`);
  if (code !== 0) throw new Error(`exit code ${code}`);
}

/** Every demo starts a Process, so a runtime without has no lesson. */
function whyNoLesson(runtime) {
  const without = runtime.skip.find(([what]) => what.startsWith('processes'));
  return whyNotHere(runtime) ?? without?.[1];
}

async function checkRuntime(tally, runtime, tarball) {
  const title = `${runtime.name}, ${runtime.cpu}, ${runtime.libcs.join(' and ')}`;
  const why = whyNoLesson(runtime);
  if (why !== undefined) {
    console.log(`\n== ${title}\nskipped: ${why}`);
    tally.add(title, { skipped: 1 });
    return;
  }
  await withTemporary(async (directory) => {
    const sandbox = new Sandbox();
    try {
      await tally.check(`${title}: the tarball installs`, async () => {
        await install(directory, tarball);
        await compileLesson(directory);
      });
      for (const name of lesson) {
        await tally.check(`${title}: ${name}`, () => runDemo(runtime, directory, sandbox, name));
      }
      await tally.check(`${title}: nothing is left behind`, async () => {
        const left = await sandbox.leftovers(-1);
        if (left.length > 0) throw new Error(left.join(', '));
      });
    } finally {
      sandbox.remove();
    }
  });
}

/** Keeps the tarball that has passed: what is published is what was checked. */
function keep(tarball) {
  const file = path.join(kept, path.basename(tarball));
  mkdirSync(path.join(root, kept), { recursive: true });
  copyFileSync(tarball, path.join(root, file));
  return file;
}

if (isMain(import.meta)) {
  knowOnly('only');
  const only = option('only') ?? '';
  // Users have no binary without external buffers, so the tarball has none.
  const ofUsers = runtimes.filter((one) => one.program === 'smoke.mjs' && !one.withoutBuffers);
  const chosen = ofUsers.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) die(`no runtime is named like ${only}`);
  rmSync(path.join(root, kept), { recursive: true, force: true });
  const tally = new Tally();
  await tally.check('everything is committed', checkCommit);
  await tally.check('the changelog has the version', checkVersion);
  await tally.check('the binaries are there, and of these sources', checkBinaries);
  await withTemporary(async (directory) => {
    const { tarball, files } = await pack(directory);
    const size_MiB = statSync(tarball).size / 2 ** 20;
    console.log(`\n${path.basename(tarball)}: ${files.length} files, ${size_MiB.toFixed(1)} MiB`);
    for (const runtime of chosen) await checkRuntime(tally, runtime, tarball);
    if (tally.failed > 0 || only !== '') return;
    say(`checked: npm publish ${keep(tarball)}`);
  });
  tally.finish();
}
