// In a worker of a Pool: kills or stops it at one of its accesses to what it shares with the pool.
// The pool's side is test/support/pool-points.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue as ClassOfQueue } from 'holdfast';
import { WorkerPage } from '../../lib/pool/page.js';
import { Queue } from '../../lib/objects/queue.js';

/** The words of the memory that this worker shares with the test. */
export const words = {
  /** The point at which the worker acts; 0 for none. */
  point: 0,
  /** How many points it has passed. */
  passed: 1,
  /** A signal. */
  signal: 2,
  /** It acts or has acted: the place of the point in `places`, plus 1. */
  place: 3,
  /** It goes on after a stop. */
  goesOn: 4,
  /** How many orders it has begun. */
  begun: 5,
  /** How many records it has put since it began the last one. */
  put: 6,
  /** The process that acts. */
  pid: 7,
  /** How often each task has been called. */
  calls: 8,
  /** All of these words as they were when it acted. */
  seen: 16,
  length: 32,
};

const accesses = ['get', 'begin', 'since', 'done', 'put', 'taken'];
/** The names of the points. */
export const places = accesses.flatMap((name) => [`before ${name}`, `after ${name}`]);

const { add, compareExchange, load, store } = Atomics;
let shared;

function pass(place) {
  const passed = add(shared, words.passed, 1) + 1;
  if (compareExchange(shared, words.point, passed, 0) !== passed) return;
  store(shared, words.pid, process.pid);
  store(shared, words.place, places.indexOf(place) + 1);
  shared.copyWithin(words.seen, 0, words.seen);
  process.kill(process.pid, load(shared, words.signal));
  store(shared, words.goesOn, 1);
}

/** Two points around an access. */
function around(name, access) {
  pass(`before ${name}`);
  const result = access();
  pass(`after ${name}`);
  return result;
}

/** The initializer of the pool. */
export function arm(memory) {
  shared = new Int32Array(memory.buffer);
  Atomics.compareExchange = (...args) =>
    around('begin', () => {
      const found = compareExchange(...args);
      if (found === args[2]) {
        add(shared, words.begun, 1);
        store(shared, words.put, 0);
      }
      return found;
    });
  Atomics.load = (...args) => around('taken', () => load(...args));
  for (const name of ['since', 'done']) {
    const { get, set } = Object.getOwnPropertyDescriptor(WorkerPage.prototype, name);
    Object.defineProperty(WorkerPage.prototype, name, {
      get,
      set(value) {
        around(name, () => set.call(this, value));
      },
    });
  }
  const { putSync, tryGet } = Queue.prototype;
  Queue.prototype.tryGet = function () {
    return around('get', () => tryGet.call(this));
  };
  Queue.prototype.putSync = function (item) {
    return around('put', () => {
      putSync.call(this, item);
      add(shared, words.put, 1);
    });
  };
}

function called(i) {
  add(shared, words.calls + i, 1);
}

// The tasks

export function plain(i) {
  called(i);
  return i;
}

export function large(i) {
  called(i);
  return Buffer.alloc(20_000, i);
}

export function object(i) {
  called(i);
  return new ClassOfQueue({ codec: 'json' });
}

export function fails(i) {
  called(i);
  throw new RangeError(`task ${i}`);
}

export async function slow(i) {
  called(i);
  await sleep(1);
  return i;
}
