// What `npm test` runs once everything is built:
//
//   linux    the suites of test/ over the Linux addon
//   posix    the same suites over the addon that uses only what macOS also has
//   native   the C++ tests of platform and core (scripts/native-test.mjs)
//
//   npm test -- --only=posix         one of them
//   npm test -- --grep='Lock.*abort' tests of test/ whose title matches; leaves `native` out
//
// The last line is `N passed, N failed[, N skipped]`.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildAddon } from './build.mjs';
import { die, killProcessGroup, knowOnly, option, root, run, say, Tally } from './common.mjs';
import { runNativeTests } from './native-test.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';

// Far above what a run takes on a slow machine: it is there for a hang, not to measure.
const suiteWatchdogMs = 20 * 60_000;

async function runSuites(tally, platform, grep) {
  console.log(`\n== test/ over the ${platform} addon`);
  const countsFile = path.join(root, `build/counts-${platform}-${process.pid}.json`);
  // The addon of this machine is what the loader finds by itself, as in a user's program.
  const native = platform === hostPlatform ? '' : await buildAddon({ platform });
  const sandbox = new Sandbox();
  try {
    const args = ['node_modules/mocha/bin/mocha.js'];
    args.push(
      '--reporter',
      'scripts/mocha-reporter.mjs',
      '--reporter-option',
      `counts=${countsFile}`,
    );
    if (grep) args.push('--grep', grep);
    if (process.env.CI) args.push('--forbid-only');
    const { code, timedOut, group } = await run(process.execPath, args, {
      // tsx would keep what it compiled in the system's temporary directory.
      env: { ...sandbox.env, HOLDFAST_NATIVE: native, TSX_DISABLE_CACHE: '1' },
      timeoutMs: suiteWatchdogMs,
    });

    // Mocha dies without counts when a file does not load; a run that fails must not count as none.
    const counts = existsSync(countsFile)
      ? JSON.parse(readFileSync(countsFile, 'utf8'))
      : { passed: 0, failed: 0, skipped: 0 };
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

    const left = await sandbox.leftovers(group);
    for (const entry of left) console.error(`FAILED ${platform}: left behind: ${entry}`);
    if (left.length === 0) console.log('  ✔ nothing is left behind');
    killProcessGroup(group);
    tally.add(
      `test/ ${platform}: nothing left behind`,
      left.length > 0 ? { failed: 1 } : { passed: 1 },
    );
  } finally {
    sandbox.remove();
    rmSync(countsFile, { force: true });
  }
}

knowOnly('only', 'grep');
const only = option('only');
const grep = option('grep');
const parts = hostPlatform === 'linux' ? ['linux', 'posix', 'native'] : ['posix', 'native'];
if (only !== undefined && !parts.includes(only)) die(`--only is one of ${parts.join(', ')}`);

const tally = new Tally();
for (const part of parts) {
  if (only ? part !== only : grep && part === 'native') continue;
  try {
    if (part === 'native') await runNativeTests(tally);
    else await runSuites(tally, part, grep);
  } catch (error) {
    console.error(`FAILED ${part}: ${error.message}`);
    tally.add(part, { failed: 1 });
  }
}
tally.finish();
