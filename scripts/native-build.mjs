// Compiles and links a program of C++ files. It compiles only files whose content has changed.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { filesUnder, hashOf, isDone, markDone, mustRun, root, say, werror } from './common.mjs';
import { includeDirs } from './sources.mjs';

const hostCompiler = [process.env.CXX ?? 'c++'];
const commonFlags = [
  '-std=c++17',
  '-O1',
  '-g',
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
 * is a command: a program and its first arguments.
 */
export async function buildNative({
  platform,
  directory,
  name,
  title,
  sources,
  flags: ownFlags = [],
  linkFlags = [],
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
  const objects = sources.map((source) => ({
    source,
    object: [
      source.replaceAll('/', '_'),
      hashOf([source, ...headers], compiler, flags).slice(0, 16),
      'o',
    ].join('.'),
  }));
  const waiting = objects.filter(({ object }) => !existsSync(path.join(root, directory, object)));
  if (waiting.length > 0) say(`compiling ${waiting.length} C++ files (${title})`);
  const compileWaiting = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const object = `${directory}/${next.object}`;
      const temporary = `${object}.${process.pid}.tmp`;
      await mustRun(command, [...first, ...flags, '-c', next.source, '-o', temporary], {
        timeoutMs: compileWatchdogMs,
      });
      renameSync(path.join(root, temporary), path.join(root, object));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileWaiting));

  const names = objects.map(({ object }) => object);
  const stamp = `${directory}/link.stamp`;
  const hash = hashOf([], names, linkFlags);
  if (!isDone(stamp, hash, program)) {
    const inputs = names.map((object) => `${directory}/${object}`);
    const libraries = process.platform === 'linux' ? ['-lrt'] : [];
    const linking = [...first, ...flags, ...inputs, '-o', program, ...linkFlags, ...libraries];
    await mustRun(command, linking);
    for (const file of readdirSync(path.join(root, directory))) {
      if (file.endsWith('.o') && !names.includes(file)) rmSync(path.join(root, directory, file));
    }
    markDone(stamp, hash);
  }
  return path.join(root, program);
}
