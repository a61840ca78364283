// One player of the fuzzer does one random operation after another on objects whose files are
// written over. An operation may end with a result, with one of our errors, or with the error of a
// wrong argument. The player must not die, hang, or write where it should not.
import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import * as hf from 'holdfast';
import { random } from '../programs/random.mjs';

let names;
let below;
let fail;
const failed = new Promise((_, reject) => (fail = (text) => reject(new Error(text))));

// Memory of this process that no code may write to, between the memory that V8 and the C library
// use.
const canaries = Array.from({ length: 16 }, (_, i) => Buffer.alloc(4096 << (i % 4), 0xa0 + i));
function checkCanaries() {
  canaries.forEach((canary, i) => {
    if (canary.some((byte) => byte !== 0xa0 + i)) fail(`canary ${i} was written to`);
  });
}

const open = {
  Lock: (options) => new hf.Lock(options),
  RLock: (options) => new hf.RLock(options),
  Semaphore: (options) => new hf.Semaphore(below(2) ? 2 : undefined, options),
  BoundedSemaphore: (options) => new hf.BoundedSemaphore(below(4) ? 3 : 4, options),
  ReadWriteLock: (options) => new hf.ReadWriteLock(options),
  Condition: (options) => new hf.Condition(undefined, options),
  Event: (options) => new hf.Event(options),
  Barrier: (options) => new hf.Barrier(2, options),
  Queue: (options) => new hf.Queue({ maxBytes: 1 << 18, ...options }),
  JoinableQueue: (options) => new hf.JoinableQueue({ maxBytes: 1 << 18, ...options }),
  SharedMemory: (options) => new hf.SharedMemory(below(4) ? 5000 : undefined, options),
  LockManager: ({ name, ...options }) =>
    new hf.LockManager({ namespace: name, maxRequests: below(8) ? 256 : undefined, ...options }),
};
const kinds = Object.keys(open);

const patience = () => ({ timeout: below(30) });
const items = [
  () => 'x'.repeat(below(300)),
  () => below(1e9),
  () => ({ a: [below(10), new Map([[1, { b: 'c' }]])], when: new Date(0) }),
  () => Buffer.alloc(below(below(10) ? 200 : 70_000), 7),
  () => null,
  () => below(2) === 0,
];
const item = () => items[below(items.length)]();
const mode = () => (below(3) === 0 ? 'shared' : 'exclusive');
/** Some do not fit into one cell. */
const lockName = () => `user ${below(5)}${'x'.repeat(below(4) ? 0 : below(400))}`;

/**
 * A hold is released some time later. Two holds are kept, so that others have something to take
 * over.
 */
const guards = [];
async function hold(guard) {
  if (!guard || typeof guard.release !== 'function') return;
  guards.push(guard);
  if (guards.length > 2 || below(2)) guards.splice(below(guards.length), 1)[0].release();
}

const owned = {
  acquire: async (lock) => hold(await lock.acquire(patience())),
  acquireSync: (lock) => hold(lock.acquireSync(patience())),
  tryAcquire: (lock) => hold(lock.tryAcquire()),
  release: (lock) => lock.release(),
};
const queue = {
  put: (it) => it.put(item(), patience()),
  putSync: (it) => it.putSync(item(), patience()),
  tryPut: (it) => it.tryPut(item()),
  putMany: (it) => it.putMany(Array.from({ length: below(20) }, item), patience()),
  get: (it) => it.get(patience()),
  getSync: (it) => it.getSync(patience()),
  tryGet: (it) => it.tryGet(),
  getMany: (it) => it.getMany(1 + below(50), patience()),
  look: (it) => [it.size(), it.empty(), it.full(), it.ended()],
  end: (it) => below(20) === 0 && it.end(),
};
const operations = {
  Lock: { ...owned, locked: (lock) => lock.locked() },
  RLock: { ...owned, locked: (lock) => lock.locked() },
  Semaphore: { ...owned, release: (it) => it.release(1 + below(3)), value: (it) => it.value() },
  BoundedSemaphore: { ...owned, value: (it) => it.value() },
  ReadWriteLock: {
    shared: async (it) => hold(await it.acquireShared(patience())),
    sharedSync: (it) => hold(it.acquireSharedSync(patience())),
    tryShared: (it) => hold(it.tryAcquireShared()),
    exclusive: async (it) => hold(await it.acquireExclusive(patience())),
    exclusiveSync: (it) => hold(it.acquireExclusiveSync(patience())),
    tryExclusive: (it) => hold(it.tryAcquireExclusive()),
  },
  Condition: {
    tryAcquire: (it) => hold(it.tryAcquire()),
    async wait(it) {
      const guard = await it.acquire(patience());
      try {
        // A wait of a Condition ends with the lock, even after its timeout. The lock may belong to
        // another player for good by now.
        await Promise.race([it.wait(patience()), sleep(500, undefined, { ref: false })]);
      } finally {
        guard.release();
      }
    },
    async notify(it) {
      const guard = await it.acquire(patience());
      try {
        if (below(2)) it.notify(1 + below(3));
        else it.notifyAll();
      } finally {
        guard.release();
      }
    },
  },
  Event: {
    set: (it) => it.set(),
    clear: (it) => it.clear(),
    isSet: (it) => it.isSet(),
    wait: (it) => it.wait(patience()),
    waitSync: (it) => it.waitSync(patience()),
  },
  Barrier: {
    wait: (it) => it.wait(patience()),
    waitSync: (it) => it.waitSync(patience()),
    look: (it) => [it.broken(), it.waiting(), it.parties],
    reset: (it) => it.reset(),
    abort: (it) => below(4) === 0 && it.abort(),
  },
  Queue: queue,
  JoinableQueue: {
    ...queue,
    async take(it) {
      const task = below(2) ? await it.take(patience()) : it.tryTake();
      if (!task) return;
      if (below(3)) task.done();
      else task.retry();
    },
    takeSync: (it) => it.takeSync(patience()).done(),
    taskDone: (it) => it.taskDone(),
    join: (it) => it.join(patience()),
    joinSync: (it) => it.joinSync(patience()),
  },
  LockManager: {
    request: (it) => it.request(lockName(), { mode: mode(), ...patience() }, () => below(10)),
    requestSync: (it) => it.requestSync(lockName(), { mode: mode(), ...patience() }, () => {}),
    acquire: async (it) => hold(await it.acquire(lockName(), { mode: mode(), ...patience() })),
    ifAvailable: async (it) => hold(await it.acquire(lockName(), { ifAvailable: true })),
    steal: async (it) => hold(await it.acquire(lockName(), { steal: true })),
    query: (it) => it.query(),
    async abort(it) {
      const signal = AbortSignal.timeout(below(20));
      try {
        await it.request(lockName(), { mode: mode(), signal }, () => {});
      } catch (error) {
        if (error !== signal.reason) throw error;
      }
    },
  },
  SharedMemory: {
    write(it) {
      const bytes = new Uint8Array(it.buffer);
      if (bytes.length !== it.size) fail(`a buffer of ${bytes.length} bytes, not ${it.size}`);
      bytes[0]++;
      bytes[bytes.length - 1]++;
    },
  },
};

const opened = new Map();

async function once() {
  const kind = kinds[below(kinds.length)];
  const choice = below(100);
  if (choice === 0) return void hf.list();
  if (choice === 1) return hf.unlink(kind, names[kind]);
  const there = opened.get(kind);
  if (!there) {
    const anonymous = below(10) === 0;
    const options = anonymous ? {} : { name: names[kind], persistent: below(4) === 0 };
    opened.set(kind, open[kind](options));
    return;
  }
  if (choice === 2) return there.unlink();
  if (choice === 3) return JSON.stringify(there), hf.attach(there.toJSON()).close();
  if (choice < 8) return void there.inspect();
  if (choice < 14) {
    // An object cannot be closed if its file says that it is held. Then it is left to the garbage
    // collector.
    opened.delete(kind);
    return there.close();
  }
  const methods = Object.values(operations[kind]);
  await methods[below(methods.length)](there);
}

let isStopped = false;

/** Tells play() to end. */
export function stop() {
  isStopped = true;
}

async function playOn(beat, count) {
  const file = openSync(beat, 'r+');
  const numbers = new Float64Array(1);
  while (!isStopped) {
    try {
      await once();
    } catch (error) {
      // A LockManager has the errors of the standard: stolen, or the table is full.
      const ours = error instanceof hf.HoldfastError || error instanceof DOMException;
      if (!ours && !(error instanceof TypeError) && !(error instanceof RangeError)) {
        fail(`not an error of ours: ${error?.stack ?? error}`);
      }
      // V8's own complaint of a broken program is a TypeError, too.
      if (!ours && /undefined|not a function|null/.test(error.message)) fail(error.stack);
      const name = ours ? error.name : error.constructor.name;
      count.errors[name] = (count.errors[name] ?? 0) + 1;
    }
    numbers[0] = ++count.operations;
    writeSync(file, numbers, 0, 8, 0);
    if (below(10) === 0) await turn();
    if (below(2000) === 0) checkCanaries();
  }
  checkCanaries();
  closeSync(file);
  return count;
}

/**
 * Plays until it is stopped, and resolves to what it did. Rejects with the first failure. After
 * each operation it raises the count in the file `beat`.
 */
export function play({ seed, beat, ...plan }) {
  ({ names } = plan);
  ({ below } = random(seed));
  process.on('disconnect', stop);
  process.on('unhandledRejection', (error) => fail(`unhandled: ${error?.stack ?? error}`));
  return Promise.race([failed, playOn(beat, { operations: 0, errors: {} })]);
}
