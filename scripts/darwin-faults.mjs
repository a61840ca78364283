// Does the suite find what macOS does not bear? Each fault takes one file of native/platform/darwin
// out of the build with the stand-in (native/test/darwin), so that the file of posix/ of that name
// does the work as it did on macOS at first. The tests of deaths must fail then, and must pass
// without a fault, for both ways in which libuv watches a FIFO on macOS.
//
//   npm run test:darwin-faults
//
// The last line is `N passed, N failed`.

import path from 'node:path';
import { buildAddon, buildTypeScript } from './build.mjs';
import { knowOnly, root, run, Tally } from './common.mjs';
import { Sandbox } from './sandbox.mjs';

const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js');
const tests = 'test/crashes/death-news.test.ts';
const runWatchdogMs = 5 * 60_000;

const runs = [
  { title: 'no fault, libuv since 1.49', platform: 'darwin', libuv: '1.49', passes: true },
  { title: 'no fault, libuv before that', platform: 'darwin', libuv: '1.46', passes: true },
  {
    title: 'the event loop polls a FIFO, which libuv since 1.49 refuses',
    platform: 'darwin-without-news',
    libuv: '1.49',
    says: /cannot watch the doorbell/,
  },
  {
    title: 'the open end of a FIFO is asked for its reader, and poll(2) does not tell',
    platform: 'darwin-without-wakes',
    libuv: '1.49',
    says: /not to be had/,
  },
  {
    title: 'the event loop waits for a disconnection, of which libuv before 1.49 never tells',
    platform: 'darwin-without-news',
    libuv: '1.46',
    says: /watching\n(?!news)/,
  },
];

/** What mocha says of the tests that failed, in one line. */
const failuresIn = (output) =>
  output.split(' failing').at(-1).replaceAll(/\s+/g, ' ').slice(0, 600);

async function check({ platform, libuv, passes = false, says }) {
  const native = await buildAddon({ platform });
  const sandbox = new Sandbox();
  try {
    const { code, output } = await run(
      process.execPath,
      // Without the settings of this project, which name all tests.
      [mocha, '--no-config', '--node-option', 'import=tsx', '--timeout', '30000', tests],
      {
        env: { ...sandbox.env, HOLDFAST_NATIVE: native, HOLDFAST_STAND_IN_LIBUV: libuv },
        capture: true,
        echo: false,
        timeoutMs: runWatchdogMs,
      },
    );
    if (code !== 0 && passes) throw new Error(`the tests failed: ${failuresIn(output)}`);
    if (code === 0 && !passes) throw new Error('the tests passed');
    if (says && !says.test(output)) throw new Error(`they failed, but not of it:\n${output}`);
    console.log(passes ? 'the tests pass' : 'found');
  } finally {
    sandbox.remove();
  }
}

knowOnly();
const tally = new Tally();
if (process.platform === 'linux') {
  await buildTypeScript();
  for (const each of runs) await tally.check(each.title, () => check(each));
} else {
  console.log('skipped: the stand-in is for Linux');
  tally.add('faults', { skipped: 1 });
}
tally.finish();
