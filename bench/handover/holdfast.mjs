import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  LockManager,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
} from '../holdfast.mjs';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

/** By thread, because the ring releases a lock in another task than the one that acquired it. */
class ThreadRLock extends RLock {
  constructor(options) {
    super({ ...options, scope: 'thread' });
  }
}

const three = (Kind, name) => [0, 1, 2].map((i) => new Kind({ name: `${name}-${i}` }));

function lockSync(Kind) {
  return (side, name) => {
    const locks = three(Kind, name);
    return ring(side, {
      sync: true,
      take: (i) => locks[i].acquireSync(),
      give: (i) => locks[i].release(),
      close: () => locks.forEach((lock) => lock.close()),
    });
  };
}

function lockAsync(Kind) {
  return (side, name) => {
    const locks = three(Kind, name);
    return ring(side, {
      take: (i) => locks[i].acquire(),
      give: (i) => locks[i].release(),
      close: () => locks.forEach((lock) => lock.close()),
    });
  };
}

/** Three locks of one LockManager. */
function namedAsync(side, name) {
  const manager = new LockManager({ namespace: name });
  const held = [];
  return ring(side, {
    take: async (i) => {
      held[i] = await manager.acquire(`lock ${i}`);
    },
    give: (i) => held[i].release(),
    close: () => manager.close(),
  });
}

// One side waits synchronously, the other at its event loop.
const mixed = (synchronous, asynchronous) => (side, name) =>
  side === 0 ? synchronous(side, name) : asynchronous(side, name);

// Objects that only a guard can release.
function guarded(sync, open, take) {
  return (side, name) => {
    const objects = [0, 1, 2].map((i) => open({ name: `${name}-${i}` }));
    const guards = [];
    return ring(side, {
      sync,
      take: sync
        ? (i) => {
            guards[i] = take(objects[i]);
          }
        : async (i) => {
            guards[i] = await take(objects[i]);
          },
      give: (i) => guards[i].release(),
      close: () => objects.forEach((object) => object.close()),
    });
  };
}

const permit = (options) => new BoundedSemaphore(1, options);
const readWrite = (options) => new ReadWriteLock(options);

function events(side, name) {
  const pair = [0, 1].map((i) => new Event({ name: `${name}-${i}` }));
  const close = () => pair.forEach((event) => event.close());
  return { mine: pair[side], other: pair[1 - side], close };
}

// The turn is a word in shared memory, and the condition says that it has changed.
function condition(side, name) {
  const lock = new Lock({ name: `${name}-lock` });
  const changed = new Condition(lock, { name });
  const memory = new SharedMemory(4, { name: `${name}-turn` });
  const turn = new Int32Array(memory.buffer);
  const pass = () => {
    turn[0] = 1 - side;
    changed.notify();
    lock.release();
  };
  const close = () => {
    if (side === 0) lock.release();
    changed.close();
    memory.close();
    lock.close();
  };
  return { lock, changed, turn, pass, close };
}

// Two parties meet when the turn is passed on, and again when it comes back. The party that comes
// last to a meeting has had the turn. Side 1 comes to its second meeting only when it next wants
// the turn, or at the end.
function meetings(side, name) {
  const both = new Barrier(2, { name });
  let owes = false;
  return {
    both,
    count: () => (side === 0 || owes ? 2 : 1),
    pass: () => {
      owes = true;
    },
  };
}

function semaphores(side, name) {
  const pair = [0, 1].map((i) => new Semaphore(0, { name: `${name}-${i}` }));
  const close = () => pair.forEach((semaphore) => semaphore.close());
  return { mine: pair[side], other: pair[1 - side], close };
}

function semaphoreSync(side, name) {
  const { mine, other, close } = semaphores(side, name);
  return { sync: true, turn: () => mine.acquireSync(), pass: () => other.release(), close };
}

function semaphoreAsync(side, name) {
  const { mine, other, close } = semaphores(side, name);
  return { turn: () => mine.acquire(), pass: () => other.release(), close };
}

await play(import.meta.filename, {
  'lock-mixed': mixed(lockSync(Lock), lockAsync(Lock)),
  'rlock-mixed': mixed(lockSync(ThreadRLock), lockAsync(ThreadRLock)),
  'semaphore-mixed': mixed(semaphoreSync, semaphoreAsync),
  'semaphore-sync': semaphoreSync,
  'semaphore-async': semaphoreAsync,

  'lock-sync': lockSync(Lock),
  'lock-async': lockAsync(Lock),
  'named-async': namedAsync,
  'rlock-sync': lockSync(ThreadRLock),
  'rlock-async': lockAsync(ThreadRLock),

  'bounded-sync': guarded(true, permit, (object) => object.acquireSync()),
  'bounded-async': guarded(false, permit, (object) => object.acquire()),
  'exclusive-sync': guarded(true, readWrite, (object) => object.acquireExclusiveSync()),
  'exclusive-async': guarded(false, readWrite, (object) => object.acquireExclusive()),

  'event-sync'(side, name) {
    const { mine, other, close } = events(side, name);
    const turn = () => {
      mine.waitSync();
      mine.clear();
    };
    return { sync: true, turn, pass: () => other.set(), close };
  },

  'event-async'(side, name) {
    const { mine, other, close } = events(side, name);
    const turn = async () => {
      await mine.wait();
      mine.clear();
    };
    return { turn, pass: () => other.set(), close };
  },

  'condition-sync'(side, name) {
    const { lock, changed, turn: word, pass, close } = condition(side, name);
    const turn = () => {
      lock.acquireSync();
      while (word[0] !== side) changed.waitSync();
    };
    if (side === 0) turn();
    return { sync: true, turn, pass, close };
  },

  async 'condition-async'(side, name) {
    const { lock, changed, turn: word, pass, close } = condition(side, name);
    const turn = async () => {
      await lock.acquire();
      while (word[0] !== side) await changed.wait();
    };
    if (side === 0) await turn();
    return { turn, pass, close };
  },

  'barrier-sync'(side, name) {
    const { both, count, pass } = meetings(side, name);
    const turn = () => {
      for (let left = count(); left > 0; left--) both.waitSync();
    };
    const close = () => {
      if (side === 1) both.waitSync();
      both.close();
    };
    return { sync: true, turn, pass, close };
  },

  'barrier-async'(side, name) {
    const { both, count, pass } = meetings(side, name);
    const turn = async () => {
      for (let left = count(); left > 0; left--) await both.wait();
    };
    const close = async () => {
      if (side === 1) await both.wait();
      both.close();
    };
    return { turn, pass, close };
  },
});
