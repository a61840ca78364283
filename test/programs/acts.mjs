// What an actor does in one turn of its event loop, or thousands of times: functions that the `act`
// command calls by name, with the host and the arguments.
import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BoundedSemaphore, SharedMemory, list } from 'holdfast';
import { add } from './add.mjs';
import { now } from './clock.mjs';

/** Adds to a number in a file: see add.mjs. */
export function count(host, { object, form, rounds, file, pause }) {
  return add(host.object(object), form, rounds, file, pause);
}

/**
 * Withdraws from a wait that has been rung for, before the event loop has read the ring: the thread is
 * busy until the wait set holds only the `others`. Returns when it withdrew, and whether it had been
 * rung (the entry of a waiter that only lost the race is still there).
 */
export function cancelOnceRung(host, { object: id, hold, how, others, timeout = 0 }) {
  const object = host.object(id);
  const began = now();
  while (object.inspect().waiters > others);
  if (how === 'abort') host.controller(hold).abort(new Error('aborted once rung'));
  else if (how === 'close') object.close();
  // libuv's clock may be a few milliseconds behind ours.
  else while (now() < began + timeout + 5);
  return { at: now() };
}

/** Blocks until the semaphore `when` has a permit, and releases the object in the same turn. */
export function releaseWhen(host, { object, when }) {
  host.object(when).acquireSync();
  host.object(object).release();
}

/** Closes a handle in the turn in which the lock has become free, with the ring still unread. */
export function closeOnceFree(host, { object: id, go }) {
  const object = host.object(id);
  const isFree = object.locked ? () => !object.locked() : () => object.value() > 0;
  host.object(go).release();
  while (!isFree());
  object.close();
}

/** Starts workers inside this process, each of which acquires something and stays so. */
export async function startWorkers(host, { jobs }) {
  const file = new URL('./holder.mjs', import.meta.url);
  const ready = (worker) => new Promise((resolve) => worker.once('message', resolve));
  await Promise.all(jobs.map((job) => ready(new Worker(file, { workerData: job }))));
}

/** Has a worker use the directory `place`, and looks whether it is there when the worker has ended. */
export async function visit(host, { place }) {
  const worker = new Worker(new URL('./visitor.mjs', import.meta.url), { workerData: place });
  const seen = new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const result = await seen;
  await ended;
  return { ...result, after: existsSync(place) };
}

let tries = 0;
let cpuAtFirst = process.cpuUsage();

/** Has many acquisitions wait at once; resolves when all are served, to their order and times. */
export function queueUp(host, { object: id, waiters }) {
  const object = host.object(id);
  // Every look at the lock, by whichever way the waiter was woken, goes through this one function.
  const native = object.native;
  const tryAcquire = native.tryAcquire;
  native.tryAcquire = () => {
    tries++;
    return tryAcquire();
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

export function effort() {
  const { user, system } = process.cpuUsage(cpuAtFirst);
  return { tries, cpu_ms: (user + system) / 1000 };
}

/** Starts that many workers, each of which runs crowd.mjs; resolves to how many were served. */
export async function crowd(host, { workers, ...workerData }) {
  const file = new URL('./crowd.mjs', import.meta.url);
  const one = () =>
    new Promise((resolve, reject) => {
      let served = 0;
      new Worker(file, { workerData })
        .on('message', () => served++)
        .on('error', reject)
        .on('exit', () => resolve(served));
    });
  const served = await Promise.all(Array.from({ length: workers }, one));
  return served.reduce((a, b) => a + b, 0);
}

/** Enrols this agent as often as it takes, for waits that there are not. */
export function fillWaitSet(host, { object: id, entries }) {
  const { native } = host.object(id);
  for (let i = 0; i < entries; i++) native.enrol(-1, 1);
}

/** Takes permits, each through a handle of its own, and drops handles and guards. With --expose-gc. */
export async function dropPermits(host, { name, permits, count: wanted }) {
  const take = () => void new BoundedSemaphore(permits, { name }).acquireSync();
  for (let i = 0; i < wanted; i++) take();
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await turn();
  }
}

const bytesOf = (host, id) => new Uint8Array(host.object(id).buffer);

export function readByte(host, { object, at }) {
  return bytesOf(host, object)[at];
}

export function writeByte(host, { object, at, value }) {
  bytesOf(host, object)[at] = value;
}

/** Does not return: for a thread that is going to be killed. */
export function writeForEver(host, { object }) {
  const bytes = bytesOf(host, object);
  for (let i = 1; ; i = (i % (bytes.length - 1)) + 1) bytes[i] = 1;
}

/** Views that nothing gives back before the end of the thread. */
export function keepViews(host, { object }) {
  globalThis.kept = [bytesOf(host, object), bytesOf(host, object).fill(3)];
}

/** Uses a buffer whose SharedMemory has been collected; then drops the buffer too. With --expose-gc. */
export async function dropMemory(host, { name, size }) {
  let collected = false;
  const registry = new FinalizationRegistry(() => (collected = true));
  const make = () => {
    const memory = new SharedMemory(size, { name });
    registry.register(memory);
    return memory.buffer;
  };
  const collect = async () => {
    for (let i = 0; i < 10; i++) {
      globalThis.gc();
      await turn();
    }
  };
  const kept = { bytes: new Uint8Array(make()) };
  kept.bytes.fill(7);
  await collect();
  const before = [kept.bytes[0], kept.bytes[size - 1]];
  const share = () => {
    const again = new SharedMemory(undefined, { name });
    new Uint8Array(again.buffer)[1] = 8;
    again.close();
    return kept.bytes[1];
  };
  const sharedStill = share();
  delete kept.bytes;
  await collect();
  const afterDrop = list().some((entry) => entry.name === name);
  return { collected, before, sharedStill, afterDrop };
}
