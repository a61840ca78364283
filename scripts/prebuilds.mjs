// Builds the binaries that the package ships, so that an installation needs no compiler.
//
//   npm run prebuilds             on Linux x64: for every Linux and macOS, cross-compiled by zig
//   npm run prebuilds -- --here   for this machine, by its own compiler
//
// Each lies where node-gyp-build looks: prebuilds/<system>-<processor>/node.napi.<libc>.node. What
// a binary asks of the system is held against prebuilt-symbols.json and a version of glibc.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gypTree } from './build.mjs';
import { die, filesUnder, hashOf, isDone, isMain, knowOnly } from './common.mjs';
import { markDone, mustRun, root, say } from './common.mjs';
import { compileObjects, compilerFlags, linkLinux, oldestGlibc } from './cross-compiler.mjs';
import { buildDarwin, darwinFindings, darwinTargets } from './prebuild-darwin.mjs';
import { addonSources } from './sources.mjs';

const require = createRequire(import.meta.url);

const targets = [
  { directory: 'linux-x64', libc: 'glibc', triple: `x86_64-linux-gnu.${oldestGlibc}` },
  { directory: 'linux-x64', libc: 'musl', triple: 'x86_64-linux-musl' },
  { directory: 'linux-arm64', libc: 'glibc', triple: `aarch64-linux-gnu.${oldestGlibc}` },
  { directory: 'linux-arm64', libc: 'musl', triple: 'aarch64-linux-musl' },
];

/** The files that a tarball for users has. */
export const binaries = [
  ...targets.map(({ directory, libc }) => `prebuilds/${directory}/node.napi.${libc}.node`),
  ...darwinTargets.map(({ directory }) => `prebuilds/${directory}/node.napi.node`),
];

const stamp = 'build/prebuilds.stamp';

/** Changes with everything that the binaries are made of. */
export function hashOfSources() {
  const names = ['sources', 'batches', 'cross-compiler', 'libcxx'];
  const scripts = names.map((name) => `scripts/${name}.mjs`);
  const inputs = ['native', 'binding.gyp', ...scripts];
  return hashOf(inputs.flatMap((input) => filesUnder(input, ['native/test'])));
}

/** Were the binaries made from the sources that are here now? */
export function areCurrent() {
  const hash = hashOfSources();
  return binaries.every((file) => isDone(stamp, hash, file));
}

/**
 * Compiles the addon for one Linux, unless that is done, into `output`; throws if it asks for what
 * it must not.
 */
export async function buildLinux({ directory, libc }, output) {
  const target = targets.find((known) => known.directory === directory && known.libc === libc);
  const built = `build/cross/${target.triple}/holdfast.node`;
  const builtStamp = `build/cross/${target.triple}/stamp`;
  const hash = hashOfSources();
  if (!isDone(builtStamp, hash, built)) {
    say(`compiling the addon for ${directory} ${libc}`);
    await compile(target, built);
    markDone(builtStamp, hash);
  }
  const file = path.join(output, directory, `node.napi.${libc}.node`);
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(path.join(root, built), file);
  show(file, symbolFindings(file, libc));
}

async function compile(
  { triple },
  file,
  { sources = addonSources('linux'), flags: own = [] } = {},
) {
  const flags = [...compilerFlags('linux'), ...own];
  const directory = path.dirname(file);
  const objects = await compileObjects({ triple, sources, flags, directory });
  await linkLinux(triple, objects, path.join(root, file));
}

const withoutBuffers = 'build/no-external-buffers/holdfast.node';

/** An addon for tests, as if the runtime were Electron: see native/test/addon. Returns its path. */
export async function buildWithoutBuffers() {
  const replacement = 'native/test/addon/no_external_buffers.cc';
  const hash = hashOf([replacement], hashOfSources());
  if (!isDone('build/no-external-buffers/stamp', hash, withoutBuffers)) {
    say('compiling an addon for runtimes without external buffers');
    const sources = addonSources('linux').filter((file) => !file.endsWith('/external_bytes.cc'));
    await compile(targets[0], withoutBuffers, {
      sources: [...sources, replacement],
      flags: ['-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED'],
    });
    markDone('build/no-external-buffers/stamp', hash);
  }
  return path.join(root, withoutBuffers);
}

/** What the binary asks of others: names, and the newest glibc that one of them is of. */
function undefinedSymbols(file) {
  const table = execFileSync('nm', ['-D', '--undefined-only', file], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).at(-1).split('@'))
    .map(([name, ...version]) => ({ name, version: version.at(-1) ?? '' }));
}

function isNewer(version) {
  const [, major, minor] = /^GLIBC_(\d+)\.(\d+)/.exec(version) ?? [0, 0, 0];
  const [oldestMajor, oldestMinor] = oldestGlibc.split('.');
  return Number(major) > Number(oldestMajor) || Number(minor) > Number(oldestMinor);
}

/** What is wrong with what the binary asks for; an empty list if nothing is. */
export function symbolFindings(file, libc) {
  const allowed = JSON.parse(
    readFileSync(path.join(root, 'scripts/prebuilt-symbols.json'), 'utf8'),
  );
  const known = new Set([...allowed.all, ...allowed[libc]]);
  const findings = [];
  for (const { name, version } of undefinedSymbols(file)) {
    const isNodes = /^(napi|node_api|uv)_/.test(name);
    if (!isNodes && !known.has(name)) findings.push(`${name} is not in prebuilt-symbols.json`);
    if (libc === 'glibc' && isNewer(version)) {
      findings.push(`${name} is of ${version}; ${oldestGlibc} is the oldest that it is to run on`);
    }
  }
  return findings;
}

/** The binary of each target; throws if one asks for what it must not. */
export async function crossBuild() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('cross-compiling needs Linux on x64; --here builds for this machine');
  }
  const output = path.join(root, 'prebuilds');
  const hash = hashOfSources();
  rmSync(output, { recursive: true, force: true });
  for (const target of targets) await buildLinux(target, output);
  for (const target of darwinTargets) {
    const file = path.join(output, target.directory, 'node.napi.node');
    await buildDarwin(target, file);
    show(file, darwinFindings(file));
  }
  markDone(stamp, hash);
}

function show(file, findings) {
  const shown = path.relative(root, file);
  if (findings.length > 0) throw new Error(`${shown}:\n  ${findings.join('\n  ')}`);
  say(`${shown}: ${(statSync(file).size / 1024).toFixed(0)} KiB`);
}

async function buildHere() {
  // In a tree of its own: prebuildify rebuilds from nothing, which would remove build/.
  const tree = await gypTree('prebuild');
  await promisify(require('prebuildify'))({
    cwd: tree,
    out: root,
    cache: path.join(tree, 'cache'),
    targets: [process.versions.node],
    napi: true,
    strip: true,
    // glibc and musl binaries lie side by side.
    tagLibc: process.platform === 'linux',
  });
}

/** The install script must find this machine's, with build/ out of the way, and it must load. */
async function load() {
  const env = { PREBUILDS_ONLY: '1' };
  const find = `
    const file = require('node-gyp-build').resolve(process.cwd());
    const names = Object.keys(require(file));
    const shown = require('node:path').relative(process.cwd(), file);
    console.log('holdfast: ' + shown + ' loads, ' + names.length + ' exports');`;
  await mustRun(process.execPath, ['--input-type=commonjs', '-e', find], { env });
}

if (isMain(import.meta)) {
  try {
    knowOnly('here');
    await (process.argv.includes('--here') ? buildHere() : crossBuild());
    await load();
  } catch (error) {
    die(error.message);
  }
}
