// What it costs that waits can be seen: the question whether somebody listens to a channel, and the
// async context of a callback, by which deadlocks are found.
import { createRequire } from 'node:module';
import { report, variant } from './timed.mjs';

const require = createRequire(import.meta.url);

/** What is taken out before holdfast is loaded, by the end of the variant's name. */
const without = {
  unasked() {
    const channels = require('../../lib/channels.js');
    channels.beginAcquisition = () => undefined;
    channels.publishRelease = () => {};
  },
  bare() {
    const context = require('../../lib/holds/context.js');
    context.runInside = (_, fn, ...args) => fn(...args);
  },
};

/** Before Node 24 a callback of a lock leaves a hook behind in its thread, for each promise. */
async function callOnce() {
  await new Lock().runExclusive(() => {});
}

without[process.argv[2]?.split('-')[1]]?.();
const { Lock } = await import('../holdfast.mjs');

function pair() {
  const lock = new Lock();
  return (n) => {
    for (let i = 0; i < n; i++) {
      lock.acquireSync();
      lock.release();
    }
  };
}

function acquire() {
  const lock = new Lock();
  return async (n) => {
    for (let i = 0; i < n; i++) {
      const guard = await lock.acquire();
      guard.release();
    }
  };
}

function run(options) {
  const lock = new Lock();
  const work = () => {};
  return async (n) => {
    for (let i = 0; i < n; i++) await lock.runExclusive(work, options);
  };
}

const variants = {
  pair,
  'pair-unasked': pair,
  async 'pair-after'() {
    await callOnce();
    return pair();
  },
  acquire,
  'acquire-unasked': acquire,
  async 'acquire-after'() {
    await callOnce();
    return acquire();
  },
  run: () => run(),
  'run-bare': () => run(),
  'run-option': () => run({ deadlock: false }),
};

await report(await variant(variants)());
