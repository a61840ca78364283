// What a release costs the releasing thread, with a given number of waiters.
//
//   node scale/waiters.mjs lock|rlock
//
// Threads of one process wait with acquire(), each an agent of its own. A thousand waiters are a
// hundred agents with ten waits each. This thread holds, releases, and takes the lock back at once.
// If a waiter is quicker, it releases the lock and pauses for a while, and so do the waiters that
// it wakes. The clock runs during release() alone. scale/mp.py and scale/posix.c do the same with
// processes.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Lock, RLock } from '../holdfast.mjs';

const kinds = { lock: Lock, rlock: RLock };
// The number of waiters, and the number of agents that have them.
const STEPS = [
  [1, 1],
  [10, 10],
  [100, 100],
  [1000, 100],
];
const RELEASES = 30;
const WARM_UP = 10;
const PAUSE_MS = 1;
const ASIDE_MS = 10;

if (isMainThread) await hold(process.argv[2]);
else await queueUp(workerData);

async function hold(kind) {
  const name = `bench-${process.pid}`;
  const lock = new kinds[kind]({ name });
  const figures = {};
  const workers = [];
  lock.acquireSync();
  for (const [waiters, agents] of STEPS) {
    while (workers.length < agents) {
      workers.push(new Worker(import.meta.filename, { workerData: { kind, name } }));
    }
    await Promise.all(workers.map((worker) => told(worker, waiters / agents)));
    await releases(lock, WARM_UP);
    figures[`waiters-${waiters}`] = await releases(lock, RELEASES);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  lock.release();
  lock.close();
  console.log(JSON.stringify(figures));
}

async function told(worker, waits) {
  const answer = once(worker, 'message');
  worker.postMessage(waits);
  await answer;
}

async function releases(lock, n) {
  const took = [];
  for (let i = 0; i < n; i++) {
    const start = process.hrtime.bigint();
    lock.release();
    took.push(Number(process.hrtime.bigint() - start));
    const back = lock.tryAcquire();
    if (back === null) lock.acquireSync();
    // Waits until the woken waiter waits again.
    await sleep(back === null ? ASIDE_MS + PAUSE_MS : PAUSE_MS);
  }
  return took;
}

/** Keeps as many waits pending as it was last told. That number never becomes smaller. */
async function queueUp({ kind, name }) {
  const lock = new kinds[kind]({ name });
  const wait = async () => {
    for (;;) {
      const guard = await lock.acquire();
      guard.release();
      await sleep(ASIDE_MS);
    }
  };
  let pending = 0;
  parentPort.on('message', (waits) => {
    for (; pending < waits; pending++) void wait();
    parentPort.postMessage('waiting');
  });
}
