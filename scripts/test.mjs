// What `npm test` runs once everything is built:
//
//   linux    the suites of test/ over the Linux addon
//   darwin   the same over the addon for macOS; elsewhere with a stand-in for macOS' rules, and
//            without the files that test nothing of the platform (`withoutPlatform` below)
//   native   the C++ tests of platform and core (scripts/native-test.mjs)
//   posix    the suites over the addon that uses only what every POSIX system has; on demand, since
//            darwin is the same code but for what macOS does in another way
//
//   npm test -- --only=posix         one of them
//   npm test -- --node=24            linux, too, on that Node (scripts/runtime-list.mjs), which
//                                    npm brings
//   npm test -- --grep='Lock.*abort' tests of test/ whose title matches; leaves `native` out
//   npm test -- --sanitize           test/ over addons built with address and undefined sanitizers;
//                                    a report counts as a failure. Linux; several times slower
//   npm test -- --no-external-buffers   linux alone, over an addon for a runtime that forbids
//                                    buffers over memory of the system, as Electron does. Tests
//                                    that share memory are skipped
//
// The last line is `N passed, N failed[, N skipped]`.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildAddon, sanitizerEnvironment } from './build.mjs';
import { die, killProcessGroup, knowOnly, option, root, run, say, Tally } from './common.mjs';
import { runNativeTests } from './native-test.mjs';
import { buildWithoutBuffers } from './prebuilds.mjs';
import { runtimes, whyNotHere } from './runtime-list.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';

// Far longer than a run takes on a slow machine. It ends a run that hangs, and measures nothing.
const suiteWatchdogMs = 45 * 60_000;

/**
 * Files of test/ that test nothing of the platform, and why. A plain `npm test` runs them once,
 * over the addon of this machine; `--only=darwin` and `--only=posix` run all.
 */
const withoutPlatform = {
  'test/docs/**': 'texts and declarations; their examples do what other suites test on each addon',
  'test/cli/help.test.ts': 'texts',
  'test/cluster/ledger.test.ts': 'the ledger of a soak, without any object',
  'test/cluster/no-addon.test.ts': 'programs that load no addon',
};

/** Runs mocha over one addon. With `atOnce` its output is printed when it has ended. */
async function runSuites(tally, name, { node, grep, native, other, leaveOut, atOnce }) {
  const title = `\n== test/ over the addon for ${name}`;
  if (!atOnce) console.log(title);
  const mark = `${name.replaceAll(/\W+/g, '-')}-${process.pid}`;
  const countsFile = path.join(root, `build/counts-${mark}.json`);
  const reports = path.join(root, `build/sanitizer-${mark}`);
  const sandbox = new Sandbox();
  const args = ['node_modules/mocha/bin/mocha.js'];
  args.push(
    '--reporter',
    'scripts/mocha-reporter.mjs',
    '--reporter-option',
    `counts=${countsFile}`,
  );
  for (const files of leaveOut) args.push('--ignore', files);
  if (grep) args.push('--grep', grep);
  if (process.env.CI) args.push('--forbid-only');
  const { code, output, timedOut, group } = await run(node, args, {
    // Without this tsx would leave compiled code in the system's temporary directory.
    env: {
      ...sandbox.env,
      HOLDFAST_NATIVE: native,
      ...(other !== undefined && { HOLDFAST_OTHER_NATIVE: other }),
      TSX_DISABLE_CACHE: '1',
      ...(sanitize ? sanitizerEnvironment(reports) : {}),
    },
    timeoutMs: suiteWatchdogMs,
    capture: atOnce,
    echo: !atOnce,
  });
  if (atOnce) console.log(`${title}\n${output}`);

  // Mocha ends without counts if a file does not load. Such a run must be a failure.
  const counts = existsSync(countsFile)
    ? JSON.parse(readFileSync(countsFile, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  rmSync(countsFile, { force: true });
  if (timedOut) say(`${name}: stopped by the watchdog after ${suiteWatchdogMs / 60_000} min`);
  if (code !== 0 && counts.failed === 0) {
    console.error(`FAILED ${name}: mocha ended with exit code ${code}`);
    counts.failed = 1;
  }
  if (code === 0 && counts.passed === 0) {
    console.error(`FAILED ${name}: no test ran`);
    counts.failed += 1;
  }
  tally.add(`test/ ${name}`, counts);
  if (sanitize) addReports(tally, name, reports);
  return { name, sandbox, group };
}

function addReports(tally, name, reports) {
  const directory = path.dirname(reports);
  const files = readdirSync(directory).filter((file) => file.startsWith(path.basename(reports)));
  for (const file of files.map((found) => path.join(directory, found))) {
    console.error(`FAILED ${name}: ${readFileSync(file, 'utf8')}`);
    rmSync(file);
  }
  tally.add(`test/ ${name}: no report of a sanitizer`, {
    passed: Number(files.length === 0),
    failed: files.length,
  });
}

/**
 * Called when no run is left, because the open objects of one run are not leftovers of the other.
 */
async function checkLeftovers(tally, { name, sandbox, group }) {
  try {
    const left = await sandbox.leftovers(group);
    for (const entry of left) console.error(`FAILED ${name}: left behind: ${entry}`);
    killProcessGroup(group);
    tally.add(
      `test/ ${name}: nothing left behind`,
      left.length > 0 ? { failed: 1 } : { passed: 1 },
    );
  } finally {
    sandbox.remove();
  }
}

/** What to run test/ over: the addon of each platform, and that of this machine on another Node. */
async function listRuns(platforms) {
  const node = process.execPath;
  if (withoutBuffers) {
    const native = await buildWithoutBuffers();
    return [{ name: 'linux without external buffers', platform: 'linux', native, node }];
  }
  const runs = [];
  for (const platform of platforms) {
    // A user's program finds the addon of this machine by itself, and so do these tests.
    const native =
      platform === hostPlatform && !sanitize
        ? ''
        : await buildAddon({ platform, sanitize: sanitize ? 'address,undefined' : '' });
    runs.push({ name: platform, platform, native, node });
  }
  if (otherNode !== undefined) {
    const [other] = await otherNode.command();
    const name = `${hostPlatform}, ${otherNode.name}`;
    runs.push({ name, platform: hostPlatform, native: '', node: other });
  }
  return runs;
}

/** Runs all at once, because they wait more than they work. */
async function runAllSuites(tally, platforms, grep) {
  const runs = await listRuns(platforms);
  const ended = await Promise.allSettled(
    runs.map(({ name, platform, native, node }, index) =>
      runSuites(tally, name, {
        node,
        grep,
        native,
        // For tests of programs with two builds.
        other: runs.find((run) => run.platform !== platform)?.native,
        leaveOut:
          only === undefined && platform !== hostPlatform ? Object.keys(withoutPlatform) : [],
        atOnce: index > 0,
      }),
    ),
  );
  for (const { value, reason } of ended) {
    if (value) await checkLeftovers(tally, value);
    else throw reason;
  }
}

/** The runtime that --node names. */
function nodeNamed(major) {
  const found = runtimes.find(({ name, runsWhole }) => runsWhole && name === `node ${major}`);
  if (found === undefined) die('--node is one of the Nodes in scripts/runtime-list.mjs');
  const missing = whyNotHere(found);
  if (missing !== undefined) die(`--node=${major} ${missing}`);
  return found;
}

knowOnly('only', 'grep', 'sanitize', 'node', 'no-external-buffers');
const only = option('only');
const sanitize = option('sanitize') !== undefined; // `native` is sanitized always
const grep = option('grep');
if (sanitize && option('node') !== undefined) die('--sanitize and --node do not go together');
const otherNode = option('node') === undefined ? undefined : nodeNamed(option('node'));
const withoutBuffers = option('no-external-buffers') !== undefined;
if (withoutBuffers && (only || sanitize || otherNode)) {
  die('--no-external-buffers goes with --grep alone');
}
const parts = [...new Set([hostPlatform, 'posix', 'darwin', 'native'])];
if (only !== undefined && !parts.includes(only)) die(`--only is one of ${parts.join(', ')}`);

const tally = new Tally();
const leavesOutNative = grep || sanitize || withoutBuffers;
const chosen = parts.filter((part) =>
  only ? part === only : part !== 'posix' && !(leavesOutNative && part === 'native'),
);
const platforms = chosen.filter((part) => part !== 'native');
for (const work of [
  () => platforms.length > 0 && runAllSuites(tally, platforms, grep),
  () => chosen.includes('native') && runNativeTests(tally),
]) {
  try {
    await work();
  } catch (error) {
    console.error(`FAILED: ${error.message}`);
    tally.add('a part that broke off', { failed: 1 });
  }
}
tally.finish();
