// Prepares what the contestants need. If something is missing, it says why. Nothing here is fatal:
// without what they need, rows are left out.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoEtcd } from '../test/cluster/servers/etcd.mjs';
import { whyNoPostgres } from '../test/cluster/servers/postgres.mjs';
import { whyNoRedis } from '../test/cluster/servers/redis.mjs';
import { coreSources, hostPlatform, includeDirs } from '../scripts/sources.mjs';

const bench = import.meta.dirname;

/**
 * What the contestants of the suites need: `{ <need>: { version } | { missing: reason } }`. `say`
 * hears of the progress.
 */
export function prepare(suites, say) {
  const finders = {
    holdfast: findHoldfast,
    rivals: () => installRivals(say),
    clusterRivals: () => installClusterRivals(say),
    helperThread: () => buildHelperThread(say),
    python: findPython,
    c: compileC,
    boost: () => compileCpp('boost', say),
    mqueue: () => compileCpp('mqueue', say),
    redis: findRedis,
    core: () => compileCore(say),
    valgrind: () => run('valgrind', ['--version']).replace('valgrind-', ''),
    postgresServer: () => findServer(whyNoPostgres),
    redisServer: () => findServer(whyNoRedis),
    etcdServer: () => findServer(whyNoEtcd),
    node: () => process.version,
    nodeLocks: findNodeLocks,
  };
  const contestants = suites.flatMap((suite) => Object.values(suite.contestants));
  const wanted = new Set(contestants.flatMap(({ needs }) => needs));
  const found = (need, find) =>
    wanted.has(need) ? attempt(find) : { missing: 'nothing needs it' };
  return Object.fromEntries(
    Object.entries(finders).map(([need, find]) => [need, found(need, find)]),
  );
}

function findServer(whyNot) {
  if (whyNot !== undefined) throw new Error(whyNot);
  return 'found';
}

function attempt(get) {
  try {
    return { version: get() };
  } catch (error) {
    return { missing: error.message };
  }
}

function findHoldfast() {
  for (const file of ['lib/index.js', 'package.json']) {
    if (!existsSync(join(bench, '..', file))) throw new Error(`no ${file}: npm run build`);
  }
  // In a process of its own, because run.mjs itself must stay free of the addon.
  run(process.execPath, ['--input-type=module', '-e', 'await import("./holdfast.mjs")']);
  return version('../package.json');
}

function installRivals(say) {
  return install('', say, [
    'async-lock',
    'async-mutex',
    'fs-native-extensions',
    'ioredis',
    'proper-lockfile',
  ]);
}

/** In a directory of their own, because they bring a hundred packages, and need a later Node. */
function installClusterRivals(say) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 18)) throw new Error('they need Node 22.18 or later');
  const names = ['bullmq', 'graphile-worker', 'pg-boss', 'redis-semaphore', 'redlock'];
  return install('cluster', say, names);
}

/** Installs what the lockfile of the directory says. Returns the versions of some of it. */
function install(directory, say, names) {
  const prefix = join(bench, directory);
  const installed = join(prefix, 'node_modules/.package-lock.json');
  if (!isNewer(installed, join(prefix, 'package-lock.json'))) {
    say(`installing the bench's own dependencies: npm ci in ${join('bench', directory)}`);
    run('npm', ['ci', '--ignore-scripts', '--prefix', prefix]);
  }
  const versionOf = (name) => version(join(directory, `node_modules/${name}/package.json`));
  return names.map((name) => `${name} ${versionOf(name)}`).join(', ');
}

function buildHelperThread(say) {
  const addon = join(bench, 'helper-thread/build/Release/helper_thread.node');
  if (!isNewer(addon, join(bench, 'helper-thread/helper_thread.c'))) {
    say('compiling bench/helper-thread');
    // By npm, which brings node-gyp and knows where the Node headers are.
    run('npm', ['run', '--prefix', bench, 'build:helper-thread']);
  }
  return 'bench/helper-thread';
}

function findNodeLocks() {
  if (globalThis.navigator?.locks === undefined) throw new Error('Node has them since 24.5');
  return process.version;
}

function findPython() {
  const script = 'import multiprocessing.synchronize, platform; print(platform.python_version())';
  return run('python3', ['-c', script]);
}

/** The core of holdfast without Node, as the addon is compiled: binding.gyp. */
function compileCore(say) {
  const program = join(bench, 'build/core');
  const sources = [
    ...coreSources(hostPlatform).map((file) => join('..', file)),
    'instructions/core.cc',
  ];
  mkdirSync(join(bench, 'build'), { recursive: true });
  if (![...headers(), ...sources].every((file) => isNewer(program, join(bench, file)))) {
    say('compiling bench/instructions/core.cc and the core of holdfast');
    const includes = includeDirs(hostPlatform).map((directory) => `-I../${directory}`);
    const flags = ['-O2', '-std=c++17', '-pthread', '-fvisibility=hidden', ...includes];
    run('c++', [...flags, '-o', 'build/core', ...sources, '-lrt']);
  }
  return version('../package.json');
}

const headers = () =>
  readdirSync(join(bench, '../native'), { recursive: true })
    .filter((file) => file.endsWith('.h'))
    .map((file) => join('../native', file));

function compileC() {
  mkdirSync(join(bench, 'build'), { recursive: true });
  for (const name of ['lock', 'handover', 'contended', 'scale', 'memory', 'open']) {
    run('cc', ['-O2', '-pthread', '-o', `build/${name}-posix`, `${name}/posix.c`]);
  }
  return run('cc', ['--version']).split('\n')[0];
}

/** A queue in C++: queue/crowd.h and the source of the name. */
function compileCpp(name, say) {
  const [source, program] = [`queue/${name}.cc`, `build/queue-${name}`];
  mkdirSync(join(bench, 'build'), { recursive: true });
  const sources = [source, 'queue/crowd.h'].map((file) => join(bench, file));
  if (!sources.every((file) => isNewer(join(bench, program), file))) {
    say(`compiling bench/${source}`);
    run('c++', ['-O2', '-std=c++17', '-pthread', '-o', program, source, '-lrt']);
  }
  return name === 'boost' ? boostVersion() : 'mq_open';
}

function boostVersion() {
  const line = run('c++', ['-E', '-dM', '-include', 'boost/version.hpp', '-xc++', '/dev/null'])
    .split('\n')
    .find((text) => text.startsWith('#define BOOST_LIB_VERSION '));
  return line.split('"')[1].replaceAll('_', '.');
}

function findRedis() {
  const said = run('redis-server', ['--version']);
  return /v=(\S+)/.exec(said)?.[1] ?? said;
}

function run(command, args) {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    cwd: bench,
    encoding: 'utf8',
  });
  if (error) throw new Error(`${command}: ${error.code ?? error.message}`);
  if (status !== 0) throw new Error(`${command} failed: ${lastLine(stderr || stdout)}`);
  return stdout.trim();
}

/** The line that says what went wrong, for the footnote of a table. */
export function lastLine(text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no output').trim();
}

function isNewer(product, source) {
  return existsSync(product) && statSync(product).mtimeMs >= statSync(source).mtimeMs;
}

function version(file) {
  return JSON.parse(readFileSync(join(bench, file), 'utf8')).version;
}
