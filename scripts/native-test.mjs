// The C++ tests: compiles platform + core + native/test/*.cc, without Node, and runs the program.
//
//   npm run test:native                                  every combination below
//   npm run test:native -- --platform=posix              those of one platform
//   npm run test:native -- --variant=tsan                those of one variant
//   npm run test:native -- --variant=plain ring layout   with filters, passed to the program
//   npm run test:native -- --variant=musl                on musl, which zig brings
//   npm run test:native -- --variant=arm64               on arm64, emulated; arm64-musl: the same
//                                                        on musl
//
// The program prints what it likes and, last, `N passed, N failed`.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { die, filesUnder, isMain, killProcessGroup, knowOnly, option } from './common.mjs';
import { parseCounts, root, run, say, Tally } from './common.mjs';
import { arm64Emulator, oldestGlibc, zigDirectory } from './cross-compiler.mjs';
import { buildNative } from './native-build.mjs';
import { Sandbox } from './sandbox.mjs';
import { coreSources, hostPlatform, linkFlags } from './sources.mjs';

// clang has warnings of its own, and the other variants report GCC's.
const byZig = ['-fno-sanitize=all', '-w'];
const emulated = ['-DHOLDFAST_EMULATED', '-g0'];

// Not optimised, which halves the time of compiling and leaves nothing out that could be reported.
const sanitized = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-O0'];
const withoutCalls = [
  '-Dsem_clockwait=absent_sem_clockwait',
  '-Dpthread_mutex_clocklock=absent_pthread_mutex_clocklock',
];

const variants = {
  plain: { flags: [], filters: [] },
  asan: { flags: sanitized, filters: [] },
  // Tests what happens with a glibc before 2.30: its missing calls are looked up by names that no
  // library has. Only the platform's files call them. The others are those of `asan`.
  'old-glibc': {
    flags: sanitized,
    flagsOf: (file) => (file.startsWith('native/platform/linux/') ? withoutCalls : []),
    sibling: 'asan',
    filters: [],
  },
  // Only the tests of group `threads`. The thread sanitizer sees the threads of one process; the
  // other tests use several processes.
  tsan: { flags: ['-fsanitize=thread'], filters: ['threads'] },
  // Compiled by zig. musl is linked into the program, so no loader of its is needed.
  musl: { triple: 'x86_64-linux-musl', flags: byZig, linkFlags: ['-static'], filters: [] },
  // These run under qemu-user: see docs/adr/0044-no-robust-list.md for what it lacks.
  arm64: {
    triple: `aarch64-linux-gnu.${oldestGlibc}`,
    flags: [...byZig, ...emulated],
    emulator: arm64Emulator,
    filters: [],
  },
  'arm64-musl': {
    triple: 'aarch64-linux-musl',
    flags: [...byZig, ...emulated],
    linkFlags: ['-static'],
    emulator: arm64Emulator,
    filters: [],
  },
};

// `plain` runs only on request, because it finds nothing that `asan` does not.
const combinations = [
  { platform: 'linux', variant: 'plain', onlyAsked: true },
  { platform: 'linux', variant: 'asan' },
  { platform: 'linux', variant: 'tsan' },
  { platform: 'linux', variant: 'old-glibc' },
  { platform: 'linux', variant: 'musl', onlyAsked: true },
  { platform: 'linux', variant: 'arm64', onlyAsked: true },
  { platform: 'linux', variant: 'arm64-musl', onlyAsked: true },
  { platform: 'posix', variant: 'plain', onlyAsked: true },
  { platform: 'posix', variant: 'asan', onlyAsked: true },
  { platform: 'darwin', variant: 'plain', onlyAsked: true },
  // Most of posix is in it: darwin replaces what macOS does in another way.
  { platform: 'darwin', variant: 'asan' },
].filter(({ platform }) => platform !== 'linux' || platform === hostPlatform);

// That of scripts/sweep.mjs, and parts of the platforms and of the addon: see scripts/sources.mjs.
const otherPrograms = ['native/test/sweep', 'native/test/darwin', 'native/test/addon'];

const runWatchdogMs = 15 * 60_000;

/** Files of tests of whose names one contains a filter of the variant, and those without tests. */
function isWanted(file, filters) {
  if (filters.length === 0 || !file.endsWith('_test.cc')) return true;
  const text = readFileSync(path.join(root, file), 'utf8');
  const titles = [...text.matchAll(/^TEST\((\w+)\)/gm)].map(([, name]) => name);
  const names = [path.basename(file), ...titles];
  return filters.some((filter) => names.some((name) => name.includes(filter)));
}

async function compile(platform, variant) {
  const { triple, flags, flagsOf, sibling = variant, filters } = variants[variant];
  const { linkFlags: more = [] } = variants[variant];
  const tests = filesUnder('native/test', otherPrograms).filter((file) => file.endsWith('.cc'));
  return buildNative({
    ...(triple && { compiler: [`${await zigDirectory()}/zig`, 'c++', '-target', triple] }),
    platform,
    directory: `build/native-test/${platform}-${variant}`,
    name: 'native-test',
    title: `${platform} ${variant}`,
    sources: [...coreSources(platform), ...tests.filter((file) => isWanted(file, filters))],
    flags,
    flagsOf,
    sibling: `build/native-test/${platform}-${sibling}`,
    linkFlags: [...more, ...linkFlags(platform)],
  });
}

async function runProgram(program, variant, filters) {
  const chosen = filters.length > 0 ? filters : variants[variant].filters;
  const { emulator = [] } = variants[variant];
  const command = [...emulator, program, ...chosen];
  // The thread sanitizer needs addresses for its shadow memory that address randomisation may have
  // used.
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

/**
 * Runs the chosen combinations and adds their counts to the tally. While one runs the next one is
 * compiled, because a test mostly waits.
 */
export async function runNativeTests(tally, { platform, variant, filters = [] } = {}) {
  const chosen = combinations.filter(
    (each) =>
      (!platform || each.platform === platform) &&
      (variant ? each.variant === variant : !each.onlyAsked),
  );
  const start = (each) => each && settled(compile(each.platform, each.variant));
  let compiling = start(chosen[0]);
  for (const [index, each] of chosen.entries()) {
    const name = `native ${each.platform} ${each.variant}`;
    const { program, error } = await compiling;
    compiling = start(chosen[index + 1]);
    console.log(`\n== ${name}`);
    try {
      if (error) throw error;
      tally.add(name, await runProgram(program, each.variant, filters));
    } catch (failure) {
      console.error(`FAILED ${name}: ${failure.message}`);
      tally.add(name, { failed: 1 });
    }
  }
}

/** A failure is looked at when its turn comes. */
async function settled(promise) {
  try {
    return { program: await promise };
  } catch (error) {
    return { error };
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
