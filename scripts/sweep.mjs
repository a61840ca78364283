// Kills and stops processes at the instructions of every operation of the core, and looks whether
// the others find everything whole (native/test/sweep). Linux only, for two platforms of the core;
// darwin writes nothing into shared memory that posix does not.
//
//   npm run sweep                                 some positions of each operation, two minutes
//   npm run sweep -- --every                      all of them, hours
//   npm run sweep -- --platform=posix             one platform
//   npm run sweep -- --object=queue put           the operations of one object; of these, some
//   npm run sweep -- --seed=7                     repeats the random choices of a run
//   npm run sweep -- --kill --stop --kill-points  one or two of the three sweeps
//
// The last line is `N passed, N failed[, N skipped]`: an operation and a way to sweep it is one
// test.

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, killProcessGroup, knowOnly, option, parseCounts } from './common.mjs';
import { run, say, Tally } from './common.mjs';
import { buildNative } from './native-build.mjs';
import { Sandbox } from './sandbox.mjs';
import { coreSources } from './sources.mjs';

const shm = '/dev/shm';
const platforms = ['linux', 'posix'];

function compile(platform) {
  return buildNative({
    platform,
    directory: `build/sweep/${platform}`,
    name: 'sweep',
    title: `${platform} sweep`,
    sources: [
      // native/test/sweep/reboot_scenes.cc has a current_boot() of its own.
      ...coreSources(platform).filter((file) => path.basename(file) !== 'boot.cc'),
      'native/test/host.cc',
      'native/test/support.cc',
      'native/test/text.cc',
      ...filesUnder('native/test/sweep').filter((file) => file.endsWith('.cc')),
    ],
    flags: ['-DHOLDFAST_KILL_POINTS'],
    // Names are resolved at the start, because resolving one at its first call is not part of an
    // operation. The program contains function names, for messages.
    linkFlags: ['-Wl,-z,now', '-rdynamic'],
  });
}

/** The semaphores of a run. Their names begin with its key. */
function semaphoresOf(key) {
  return readdirSync(shm).filter((name) => name.startsWith(`sem.hf-${key}`));
}

async function sweep(tally, platform, args, watchdogMs) {
  const name = `sweep ${platform}`;
  console.log(`\n== ${name}`);
  const program = await compile(platform);
  const sandbox = new Sandbox();
  const key = randomBytes(3).toString('hex');
  const clearAway = () => {
    sandbox.remove();
    for (const file of semaphoresOf(key)) rmSync(path.join(shm, file), { force: true });
  };
  process.on('exit', clearAway); // interrupted, it does not come to `finally`
  try {
    const { code, output, timedOut, group } = await run(program, args, {
      env: { ...sandbox.env, HOLDFAST_SWEEP_KEY: key },
      capture: true,
      timeoutMs: watchdogMs,
    });
    const counts = parseCounts(output) ?? { passed: 0, failed: 0, skipped: 0 };
    if (timedOut) say(`stopped by the watchdog after ${watchdogMs / 60_000} min`);
    if ((code !== 0 && counts.failed === 0) || counts.passed + counts.failed === 0) {
      console.error(`FAILED ${name}: the program ended with exit code ${code}`);
      counts.failed += 1;
    }
    killProcessGroup(group);
    tally.add(name, counts);
    const left = [...readdirSync(sandbox.directory), ...semaphoresOf(key)];
    if (left.length > 0) console.error(`FAILED ${name}: left behind: ${left.join(' ')}`);
    tally.add(`${name}: nothing left behind`, left.length > 0 ? { failed: 1 } : { passed: 1 });
  } finally {
    clearAway();
    process.off('exit', clearAway);
  }
}

knowOnly('platform', 'object', 'every', 'seed', 'kill', 'stop', 'kill-points');
const tally = new Tally();
if (process.platform === 'linux' && existsSync(shm)) {
  const every = option('every') !== undefined;
  const args = process.argv.slice(2).filter((argument) => !argument.startsWith('--platform'));
  for (const platform of platforms) {
    if ((option('platform') ?? platform) !== platform) continue;
    try {
      await sweep(tally, platform, args, (every ? 24 * 60 : 20) * 60_000);
    } catch (error) {
      console.error(`FAILED sweep ${platform}: ${error.message}`);
      tally.add(`sweep ${platform}`, { failed: 1 });
    }
  }
} else {
  console.log('skipped: Linux only');
  tally.add('sweep', { skipped: 1, passed: 0 });
}
tally.finish();
