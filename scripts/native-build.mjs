// Compiles and links a program of C++ files, in batches. It compiles only batches whose content has
// changed.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { inBatches } from './batches.mjs';
import {
  filesUnder,
  hashOf,
  isDone,
  markDone,
  mustRun,
  onEachProcessor,
  root,
  say,
  werror,
} from './common.mjs';
import { includeDirs } from './sources.mjs';

const hostCompiler = [process.env.CXX ?? 'c++'];
const commonFlags = [
  '-std=c++17',
  '-O1',
  '-g1', // lines, which sanitizers show; with variables a file compiles a fifth longer
  '-pthread',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Wconversion',
  werror,
  '-fno-omit-frame-pointer',
  '-DHOLDFAST_INVARIANTS',
];

const compileWatchdogMs = 15 * 60_000;

/**
 * Compiles what changed and links `directory`/`name`; returns the path of the program. `compiler`
 * is a command: a program and its first arguments. `flagsOf` says what one source needs besides.
 * `sibling` is the directory of another program: what was compiled there in the same way is used.
 */
export async function buildNative({
  platform,
  directory,
  name,
  title,
  sources,
  flags: ownFlags = [],
  flagsOf = () => [],
  linkFlags = [],
  sibling = directory,
  compiler = hostCompiler,
}) {
  const program = `${directory}/${name}`;
  const flags = [
    ...commonFlags,
    ...ownFlags,
    ...includeDirs(platform).map((include) => `-I${include}`),
  ];
  const [command, ...first] = compiler;
  const headers = filesUnder('native').filter((file) => file.endsWith('.h'));

  mkdirSync(path.join(root, directory), { recursive: true });
  // The name of an object file holds the hash of everything that decides it. So a file that exists
  // is up to date.
  const objects = inBatches(sources, directory).map(({ name: unit, source, files }) => {
    const flagsHere = [...flags, ...flagsOf(files[0])];
    const hash = hashOf([...files, ...headers], compiler, flagsHere).slice(0, 16);
    const file = [unit, hash, 'o'].join('.');
    const shared = `${sibling}/${file}`;
    const object = existsSync(path.join(root, shared)) ? shared : `${directory}/${file}`;
    return { source, object, flags: flagsHere };
  });
  const waiting = objects.filter(({ object }) => !existsSync(path.join(root, object)));
  if (waiting.length > 0) say(`compiling ${waiting.length} C++ files (${title})`);
  await onEachProcessor(waiting, async (next) => {
    const temporary = `${next.object}.${process.pid}.tmp`;
    await mustRun(command, [...first, ...next.flags, '-c', next.source, '-o', temporary], {
      timeoutMs: compileWatchdogMs,
    });
    renameSync(path.join(root, temporary), path.join(root, next.object));
  });

  const inputs = objects.map(({ object }) => object);
  const stamp = `${directory}/link.stamp`;
  const hash = hashOf([], inputs, linkFlags);
  if (!isDone(stamp, hash, program)) {
    const libraries = process.platform === 'linux' ? ['-lrt'] : [];
    const linking = [...first, ...flags, ...inputs, '-o', program, ...linkFlags, ...libraries];
    await mustRun(command, linking);
    for (const file of readdirSync(path.join(root, directory))) {
      const object = `${directory}/${file}`;
      if (file.endsWith('.o') && !inputs.includes(object)) rmSync(path.join(root, object));
    }
    markDone(stamp, hash);
  }
  return path.join(root, program);
}
