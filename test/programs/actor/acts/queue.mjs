import { setTimeout as sleep } from 'node:timers/promises';
import { random } from '../../random.mjs';
import { readStamp, stamped } from '../../stamped.mjs';

export function putStamped({ queue, producer, sequence, length }) {
  queue.putSync(stamped(producer, sequence, length), { timeout: 30_000 });
}

export function getStamped({ queue }) {
  return readStamp(queue.getSync({ timeout: 30_000 })) ?? null;
}

/** Starts all the puts before it waits for the first. */
export function putAllAtOnce({ queue, items }) {
  return Promise.all(items.map((item) => queue.put(item)));
}

/** Gets until the queue is ended. */
export async function drain({ queue }) {
  const items = [];
  for await (const item of queue) items.push(item);
  return items;
}

/** The same, with pauses of up to `mostMs` at random. */
export async function drainPausing({ queue, seed, mostMs }) {
  const { next } = random(seed);
  const items = [];
  for await (const item of queue) {
    items.push(item);
    if (next() < 0.3) await sleep(next() * mostMs);
  }
  return items;
}

/** Puts 0, 1, 2, ... until an item in the queue `stop` says so, then ends the queue. */
export async function produceUntil({ queue, seed, mostMs, stop }) {
  const { next, whole } = random(seed);
  let item = 0;
  while (stop.empty()) {
    for (let burst = whole(1, 4); burst > 0; burst--) await queue.put(item++);
    await sleep(next() * mostMs);
  }
  queue.end();
  return item;
}

/** The different sizes seen, until the queue is ended. */
export function watchSizes({ queue }) {
  const seen = new Set();
  while (!queue.ended()) seen.add(queue.size());
  seen.add(queue.size());
  return [...seen];
}

/** The code of the error that a call ended with. */
export async function howItEnded({ queue, method, args }) {
  try {
    await queue[method](...args);
    return null;
  } catch (error) {
    return error.code;
  }
}

export function queueState({ queue }) {
  return { size: queue.size(), empty: queue.empty(), full: queue.full() };
}
