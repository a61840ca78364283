// The tarball as package managers install it where no script runs and no compiler is on PATH: npm
// without scripts and offline, pnpm 10, Yarn 4 with Plug'n'Play. A program with a Process runs in
// each. And the binaries of other systems, each of which must be refused by name.
//
//   node scripts/installs-test.mjs [tarball]
//
// Needs a tarball with binaries: run `npm run prebuilds` before.

import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { isMain, mustRun, run, Tally } from './common.mjs';
import { pack, withTemporary } from './pack-test.mjs';
import { Sandbox } from './sandbox.mjs';

const watchdogMs = 5 * 60_000;

const pnpm = 'pnpm@10';
const yarn = '@yarnpkg/cli-dist@4';

/** The child shows that every path on its way to the package and to the function was understood. */
const program = `
  const { Lock, Process, Queue, parentProcess } = require('holdfast');
  exports.work = (queue) => queue.putSync('it works');
  async function main() {
    const lock = new Lock();
    lock.acquireSync().release();
    const queue = new Queue();
    const child = new Process(exports.work, { args: [queue] }).start();
    console.log(await queue.get({ timeout: 60_000 }));
    await child.join();
    queue.close();
    lock.close();
  }
  if (parentProcess() === null) main();`;

/** A PATH with Node, and with no compiler, make or Python. */
function pathWithoutCompiler(directory) {
  const programs = path.join(directory, 'programs');
  mkdirSync(programs);
  symlinkSync(process.execPath, path.join(programs, 'node'));
  for (const name of ['sh', 'env']) {
    const found = ['/bin', '/usr/bin'].map((bin) => path.join(bin, name)).find(existsSync);
    symlinkSync(found, path.join(programs, name));
  }
  return programs;
}

/** The JavaScript that `npm` is: beside Node, where npm itself says when it runs a script. */
function npmProgram() {
  const beside = path.resolve(process.execPath, '../../lib/node_modules/npm/bin/npm-cli.js');
  const found = [process.env.npm_execpath, beside].find((file) => file && existsSync(file));
  if (!found) throw new Error('there is no npm beside Node');
  return found;
}

class Installs {
  constructor(directory, tarball) {
    this.directory = directory;
    this.tools = path.join(directory, 'tools');
    this.tarball = path.join(directory, 'holdfast.tgz');
    copyFileSync(tarball, this.tarball);
    this.sandbox = new Sandbox();
    this.env = {
      ...this.sandbox.env,
      HOLDFAST_NATIVE: '',
      PATH: pathWithoutCompiler(directory),
      CC: '/nowhere/cc',
      CXX: '/nowhere/c++',
      npm_config_cache: path.join(directory, 'npm-cache'),
      npm_config_store_dir: path.join(directory, 'pnpm-store'),
      YARN_GLOBAL_FOLDER: path.join(directory, 'yarn'),
      YARN_ENABLE_TELEMETRY: '0',
      // In CI Yarn makes no lockfile unless it is told to, and these projects are new.
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    };
  }

  /** A project of its own that depends on the tarball. */
  project(name, manifest = {}) {
    const cwd = path.join(this.directory, name);
    mkdirSync(cwd, { recursive: true });
    const dependencies = { holdfast: `file:${this.tarball}` };
    const text = JSON.stringify({ name, private: true, dependencies, ...manifest });
    writeFileSync(path.join(cwd, 'package.json'), text);
    writeFileSync(path.join(cwd, 'program.cjs'), program);
    return cwd;
  }

  node(cwd, ...args) {
    return mustRun(process.execPath, args, { cwd, env: this.env, timeoutMs: watchdogMs });
  }

  /** Runs the program there, which must have come without compiling anything. */
  async mustWork(cwd, ...args) {
    const { code, output } = await run(process.execPath, [...args, 'program.cjs'], {
      cwd,
      env: this.env,
      capture: true,
      timeoutMs: watchdogMs,
    });
    if (code !== 0 || !output.includes('it works')) throw new Error(`exit code ${code}`);
    const built = path.join(cwd, 'node_modules/holdfast/build');
    if (existsSync(built)) throw new Error('it was compiled');
  }
}

async function testNpm(tally, installs) {
  const npm = [npmProgram(), 'install', '--no-audit', '--no-fund'];
  await tally.check('npm, no compiler on PATH', async () => {
    const cwd = installs.project('npm');
    await installs.node(cwd, ...npm);
    await installs.mustWork(cwd);
  });
  // What other packages ask for the C library, as it is on a system of glibc with parts of Alpine.
  await tally.check('npm, and the environment names another C library', async () => {
    const cwd = installs.project('npm-libc');
    const env = { ...installs.env, LIBC: 'musl', NODE_OPTIONS: '--no-addons' };
    await mustRun(process.execPath, npm, { cwd, env, timeoutMs: watchdogMs });
    await installs.mustWork(cwd);
  });
  await tally.check('npm --ignore-scripts', async () => {
    const cwd = installs.project('npm-no-scripts');
    await installs.node(cwd, ...npm, '--ignore-scripts');
    await installs.mustWork(cwd);
  });
  // The first install has filled the cache.
  await tally.check(
    'npm --offline, from its cache, at a path that a URL has to escape',
    async () => {
      const cwd = installs.project('npm ünï 名前 100%25 #1 ?q', { name: 'npm-offline' });
      await installs.node(cwd, ...npm, '--offline');
      await installs.mustWork(cwd);
    },
  );
}

async function testPnpm(tally, installs) {
  await tally.check('pnpm 10, which runs no scripts', async () => {
    const cwd = installs.project('pnpm');
    const program = path.join(installs.tools, 'node_modules/pnpm/bin/pnpm.cjs');
    await installs.node(cwd, program, 'install');
    await installs.mustWork(cwd);
  });
}

async function testYarn(tally, installs) {
  const program = path.join(installs.tools, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js');
  for (const linker of ['pnp', 'node-modules']) {
    await tally.check(`Yarn 4, ${linker}`, async () => {
      const cwd = installs.project(`yarn-${linker}`);
      writeFileSync(path.join(cwd, 'yarn.lock'), '');
      const settings = [`nodeLinker: ${linker}`, 'enableScripts: false', ...registry()];
      writeFileSync(path.join(cwd, '.yarnrc.yml'), `${settings.join('\n')}\n`);
      await installs.node(cwd, program, 'install');
      await (linker === 'pnp'
        ? installs.mustWork(cwd, '--require', './.pnp.cjs')
        : installs.mustWork(cwd));
    });
  }
}

/** Yarn does not read npm's settings. */
function registry() {
  const address = process.env.npm_config_registry;
  return address ? [`npmRegistryServer: ${JSON.stringify(address.replace(/\/$/, ''))}`] : [];
}

/** What a binary is for, by where it lies: `prebuilds/linux-x64/node.napi.musl.node`. */
function targetOf(file) {
  const libc = /\.(glibc|musl)\./.exec(file)?.[1];
  return path.basename(path.dirname(file)) + (libc ? ` with ${libc}` : '');
}

/** Every binary but this system's own is refused, and the message names what it is for. */
export async function testForeign(tally, files) {
  const { describe, here } = createRequire(import.meta.url)('../lib/native/binary.js');
  const own = describe(here());
  for (const file of files.filter((one) => targetOf(one) !== own)) {
    await tally.check(`${targetOf(file)} is refused by name`, async () => {
      const code = `
        try { require('./lib/index.js'); } catch ({ message }) { console.log(message); }`;
      const { output } = await run(process.execPath, ['--eval', code], {
        env: { HOLDFAST_NATIVE: file },
        capture: true,
        timeoutMs: watchdogMs,
      });
      const wanted = `it is for ${targetOf(file)}, and this is ${own}`;
      if (!output.includes(wanted)) throw new Error(`it does not say "${wanted}"`);
    });
  }
}

/** Adds a check for each package manager to the tally. */
export async function testInstalls(tally, tarball) {
  await withTemporary(async (directory) => {
    const installs = new Installs(directory, tarball);
    try {
      await tally.check('pnpm and Yarn install', () =>
        mustRun(
          'npm',
          ['install', '--no-audit', '--no-fund', '--prefix', installs.tools, pnpm, yarn],
          {
            timeoutMs: watchdogMs,
          },
        ),
      );
      await testNpm(tally, installs);
      await testPnpm(tally, installs);
      await testYarn(tally, installs);
    } finally {
      installs.sandbox.remove();
    }
  });
}

if (isMain(import.meta)) {
  const tally = new Tally();
  await withTemporary(async (directory) => {
    await testInstalls(tally, process.argv[2] ?? (await pack(directory)).tarball);
  });
  tally.finish();
}
