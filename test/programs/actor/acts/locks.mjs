import { setImmediate as turn } from 'node:timers/promises';
import { BoundedSemaphore } from 'holdfast';
import { addon } from '../../../../lib/native/load.js';
import { WaitSet } from '../../../../lib/waiting/wait-set.js';
import { add } from '../../add.mjs';
import { now } from '../../clock.mjs';

/** Adds to a number in a file: see add.mjs. */
export function count({ object, form, rounds, file, pause }) {
  return add(object, form, rounds, file, pause);
}

/**
 * Withdraws from an acquisition that was woken, before the event loop has read the doorbell. Until
 * then the thread is busy: it waits until the wait set holds only the `others`. Returns the time at
 * which it withdrew.
 */
export function cancelOnceWoken({ object, acquisition, how, others, timeout = 0 }, host) {
  const began = now();
  while (object.inspect().waiters > others);
  if (how === 'abort') host.abortController(acquisition).abort(new Error('aborted once woken'));
  else if (how === 'close') object.close();
  // libuv's clock may be a few milliseconds behind ours.
  else while (now() < began + timeout + 5);
  return { at: now() };
}

/** Blocks until the semaphore `when` has a permit, and releases the object in the same turn. */
export function releaseWhen({ object, when }) {
  when.acquireSync();
  object.release();
}

/** Closes an object in the turn in which the lock has become free, before the wake-up is read. */
export function closeOnceFree({ object, go }) {
  const isFree = object.locked ? () => !object.locked() : () => object.value() > 0;
  go.release();
  while (!isFree());
  object.close();
}

let tries = 0;
let cpuAtFirst = process.cpuUsage();

/**
 * Starts many acquisitions at once. Resolves when all have been served, to their order and times.
 */
export function queueUp({ object, waiters }) {
  // A waiter looks at the lock through this one function, however it was woken.
  const operations = addon[object.kind];
  const { tryAcquire } = operations;
  operations.tryAcquire = (native) => {
    tries++;
    return tryAcquire(native);
  };
  const [order, times] = [[], []];
  const serve = async (number) => {
    const guard = await object.acquire();
    order.push(number);
    times.push(now());
    guard.release();
  };
  cpuAtFirst = process.cpuUsage();
  const all = Promise.all(Array.from({ length: waiters }, (_, number) => serve(number)));
  return all.then(() => ({ order, times }));
}

/** The cost of queueUp() so far: looks at the lock, and processor time. */
export function effort() {
  const { user, system } = process.cpuUsage(cpuAtFirst);
  return { tries, cpu_ms: (user + system) / 1000 };
}

/** Fills the wait set: enrols this agent many times, although it does not wait. */
export function fillWaitSet({ object: { kind, native }, entries }) {
  const waiters = new WaitSet(addon[kind].waiters, native);
  for (let i = 0; i < entries; i++) waiters.enrol(-1, 1);
}

/**
 * Takes permits, each through an object of its own, and drops objects and guards. Needs
 * --expose-gc.
 */
export async function dropPermits({ name, permits, count: wanted }) {
  const take = () => void new BoundedSemaphore(permits, { name }).acquireSync();
  for (let i = 0; i < wanted; i++) take();
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await turn();
  }
}
