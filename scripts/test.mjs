// What `npm test` runs once everything is built:
//
//   linux    the suites of test/ over the Linux addon
//   darwin   the same over the addon for macOS; elsewhere with a stand-in for macOS' rules
//   native   the C++ tests of platform and core (scripts/native-test.mjs)
//   posix    the suites over the addon that uses only what every POSIX system has; on demand, since
//            darwin is the same code but for what macOS does in another way
//
//   npm test -- --only=posix         one of them
//   npm test -- --grep='Lock.*abort' tests of test/ whose title matches; leaves `native` out
//   npm test -- --sanitize           test/ over addons built with address and undefined sanitizers;
//                                    a report counts as a failure. Linux; several times slower
//
// The last line is `N passed, N failed[, N skipped]`.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildAddon, sanitizerEnvironment } from './build.mjs';
import { die, killProcessGroup, knowOnly, option, root, run, say, Tally } from './common.mjs';
import { runNativeTests } from './native-test.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';

// Far longer than a run takes on a slow machine. It ends a run that hangs, and measures nothing.
const suiteWatchdogMs = 20 * 60_000;

/** Runs mocha over one addon. With `atOnce` its output is printed when it has ended. */
async function runSuites(tally, platform, { grep, native, other, atOnce }) {
  const title = `\n== test/ over the ${platform} addon`;
  if (!atOnce) console.log(title);
  const countsFile = path.join(root, `build/counts-${platform}-${process.pid}.json`);
  const reports = path.join(root, `build/sanitizer-${platform}-${process.pid}`);
  const sandbox = new Sandbox();
  const args = ['node_modules/mocha/bin/mocha.js'];
  args.push(
    '--reporter',
    'scripts/mocha-reporter.mjs',
    '--reporter-option',
    `counts=${countsFile}`,
  );
  if (grep) args.push('--grep', grep);
  if (process.env.CI) args.push('--forbid-only');
  const { code, output, timedOut, group } = await run(process.execPath, args, {
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
  if (timedOut) say(`${platform}: stopped by the watchdog after ${suiteWatchdogMs / 60_000} min`);
  if (code !== 0 && counts.failed === 0) {
    console.error(`FAILED ${platform}: mocha ended with exit code ${code}`);
    counts.failed = 1;
  }
  if (code === 0 && counts.passed === 0) {
    console.error(`FAILED ${platform}: no test ran`);
    counts.failed += 1;
  }
  tally.add(`test/ ${platform}`, counts);
  if (sanitize) addReports(tally, platform, reports);
  return { platform, sandbox, group };
}

function addReports(tally, platform, reports) {
  const directory = path.dirname(reports);
  const files = readdirSync(directory).filter((name) => name.startsWith(path.basename(reports)));
  for (const name of files) {
    const file = path.join(directory, name);
    console.error(`FAILED ${platform}: ${readFileSync(file, 'utf8')}`);
    rmSync(file);
  }
  tally.add(`test/ ${platform}: no report of a sanitizer`, {
    passed: Number(files.length === 0),
    failed: files.length,
  });
}

/**
 * Called when no run is left, because the open objects of one run are not leftovers of the other.
 */
async function checkLeftovers(tally, { platform, sandbox, group }) {
  try {
    const left = await sandbox.leftovers(group);
    for (const entry of left) console.error(`FAILED ${platform}: left behind: ${entry}`);
    killProcessGroup(group);
    tally.add(
      `test/ ${platform}: nothing left behind`,
      left.length > 0 ? { failed: 1 } : { passed: 1 },
    );
  } finally {
    sandbox.remove();
  }
}

/** Runs all at once, because they wait more than they work. */
async function runAllSuites(tally, platforms, grep) {
  const runs = [];
  for (const platform of platforms) {
    // A user's program finds the addon of this machine by itself, and so do these tests.
    const native =
      platform === hostPlatform && !sanitize
        ? ''
        : await buildAddon({ platform, sanitize: sanitize ? 'address,undefined' : '' });
    runs.push({ platform, native });
  }
  const ended = await Promise.allSettled(
    runs.map(({ platform, native }, index) =>
      runSuites(tally, platform, {
        grep,
        native,
        // For tests of programs with two builds.
        other: runs.find((run) => run.platform !== platform)?.native,
        atOnce: index > 0,
      }),
    ),
  );
  for (const { value, reason } of ended) {
    if (value) await checkLeftovers(tally, value);
    else throw reason;
  }
}

knowOnly('only', 'grep', 'sanitize');
const only = option('only');
const sanitize = option('sanitize') !== undefined; // `native` is sanitized always
const grep = option('grep');
const parts = [...new Set([hostPlatform, 'posix', 'darwin', 'native'])];
if (only !== undefined && !parts.includes(only)) die(`--only is one of ${parts.join(', ')}`);

const tally = new Tally();
const chosen = parts.filter((part) =>
  only ? part === only : part !== 'posix' && !((grep || sanitize) && part === 'native'),
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
