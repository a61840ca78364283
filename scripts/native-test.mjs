// The C++ tests: compiles platform + core + native/test/*.cc, without Node, and runs the program.
//
//   npm run test:native                                  every combination below
//   npm run test:native -- --platform=posix              those of one platform
//   npm run test:native -- --variant=tsan                those of one variant
//   npm run test:native -- --variant=plain ring layout   with filters, passed to the program
//
// The program prints what it likes and, last, `N passed, N failed`.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { die, filesUnder, hashOf, isDone, isMain, knowOnly, markDone, mustRun } from './common.mjs';
import { killProcessGroup, option, parseCounts, root, run, say, Tally } from './common.mjs';
import { Sandbox } from './sandbox.mjs';
import { coreSources, hostPlatform, includeDirs } from './sources.mjs';

const compiler = process.env.CXX ?? 'c++';
const commonFlags = [
  '-std=c++17',
  '-O1',
  '-g',
  '-pthread',
  '-Wall',
  '-Wextra',
  '-fno-omit-frame-pointer',
];

const variants = {
  plain: { flags: [], filters: [] },
  asan: { flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'], filters: [] },
  // Only the tests of group `threads`: the thread sanitizer knows threads of one process, and what
  // the other tests do with processes it cannot see.
  tsan: { flags: ['-fsanitize=thread'], filters: ['threads'] },
};

const combinations = [
  { platform: 'linux', variant: 'plain' },
  { platform: 'linux', variant: 'asan' },
  { platform: 'linux', variant: 'tsan' },
  { platform: 'posix', variant: 'plain' },
  { platform: 'posix', variant: 'asan' },
].filter(({ platform }) => platform === 'posix' || platform === hostPlatform);

const runWatchdogMs = 15 * 60_000;
const compileWatchdogMs = 15 * 60_000;

/** Compiles what changed and links; returns the path of the program. */
async function compile(platform, variant) {
  const directory = `build/native-test/${platform}-${variant}`;
  const program = `${directory}/native-test`;
  const flags = [
    ...commonFlags,
    ...variants[variant].flags,
    ...includeDirs(platform).map((include) => `-I${include}`),
  ];
  const sources = [
    ...coreSources(platform),
    ...filesUnder('native/test').filter((file) => file.endsWith('.cc')),
  ];
  const headers = filesUnder('native').filter((file) => file.endsWith('.h'));

  mkdirSync(path.join(root, directory), { recursive: true });
  // An object's name holds the hash of all that decides it, so what is there is up to date.
  const objects = sources.map((source) => ({
    source,
    object: `${source.replaceAll('/', '_')}.${hashOf([source, ...headers], compiler, flags).slice(0, 16)}.o`,
  }));
  const waiting = objects.filter(({ object }) => !existsSync(path.join(root, directory, object)));
  if (waiting.length > 0) say(`compiling ${waiting.length} C++ files (${platform} ${variant})`);
  const compileWaiting = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const object = `${directory}/${next.object}`;
      const temporary = `${object}.${process.pid}.tmp`;
      await mustRun(compiler, [...flags, '-c', next.source, '-o', temporary], {
        timeoutMs: compileWatchdogMs,
      });
      renameSync(path.join(root, temporary), path.join(root, object));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compileWaiting));

  const names = objects.map(({ object }) => object);
  const stamp = `${directory}/link.stamp`;
  const hash = hashOf([], names);
  if (!isDone(stamp, hash, program)) {
    const inputs = names.map((name) => `${directory}/${name}`);
    const libraries = process.platform === 'linux' ? ['-lrt'] : [];
    await mustRun(compiler, [...flags, ...inputs, '-o', program, ...libraries]);
    for (const name of readdirSync(path.join(root, directory))) {
      if (name.endsWith('.o') && !names.includes(name)) rmSync(path.join(root, directory, name));
    }
    markDone(stamp, hash);
  }
  return path.join(root, program);
}

async function runProgram(program, variant, filters) {
  const chosen = filters.length > 0 ? filters : variants[variant].filters;
  const command = [program, ...chosen];
  // The thread sanitizer wants its shadow memory where address randomisation may have put others.
  if (variant === 'tsan' && (await canDisableRandomisation())) command.unshift('setarch', '-R');

  const sandbox = new Sandbox();
  try {
    const { code, output, timedOut, group } = await run(command[0], command.slice(1), {
      env: {
        ...sandbox.env,
        UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? 'print_stacktrace=1',
        TSAN_OPTIONS: process.env.TSAN_OPTIONS ?? 'second_deadlock_stack=1',
      },
      capture: true,
      timeoutMs: runWatchdogMs,
    });
    const counts = parseCounts(output) ?? { passed: 0, failed: 0, skipped: 0 };
    if (timedOut) say(`stopped by the watchdog after ${runWatchdogMs / 60_000} min`);
    // A sanitizer reports by the exit code, after the last line.
    if (code !== 0 && counts.failed === 0) {
      console.error(`FAILED: the program ended with exit code ${code}`);
      counts.failed = 1;
    }
    if (code === 0 && counts.passed + counts.failed === 0) {
      console.error('FAILED: the program ran no test, or did not end with its counts');
      counts.failed = 1;
    }
    killProcessGroup(group);
    return counts;
  } finally {
    sandbox.remove();
  }
}

async function canDisableRandomisation() {
  if (process.platform !== 'linux') return false;
  try {
    return (await run('setarch', ['-R', 'true'])).code === 0;
  } catch {
    return false; // no setarch here
  }
}

/** Runs the chosen combinations and adds their counts to the tally. */
export async function runNativeTests(tally, { platform, variant, filters = [] } = {}) {
  for (const combination of combinations) {
    if (platform && combination.platform !== platform) continue;
    if (variant && combination.variant !== variant) continue;
    const name = `native ${combination.platform} ${combination.variant}`;
    console.log(`\n== ${name}`);
    try {
      const program = await compile(combination.platform, combination.variant);
      const counts = await runProgram(program, combination.variant, filters);
      tally.add(name, counts);
    } catch (error) {
      console.error(`FAILED ${name}: ${error.message}`);
      tally.add(name, { failed: 1 });
    }
  }
}

if (isMain(import.meta)) {
  knowOnly('platform', 'variant');
  const variant = option('variant');
  if (variant !== undefined && !Object.hasOwn(variants, variant)) {
    die(`--variant is one of ${Object.keys(variants).join(', ')}`);
  }
  const tally = new Tally();
  const filters = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
  await runNativeTests(tally, { platform: option('platform'), variant, filters });
  tally.finish();
}
