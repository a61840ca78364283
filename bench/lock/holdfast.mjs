import { Event, Lock, Queue, RLock, Semaphore } from '../holdfast.mjs';
import { codecs } from '../../lib/native/enums.js';
import { Scratch } from '../../lib/records/batch.js';
import { codecFor } from '../../lib/records/codec.js';
import { items } from '../queue/stream.mjs';
import { report, variant } from './timed.mjs';

function putAndGet(item) {
  const queue = new Queue();
  return (n) => {
    for (let i = 0; i < n; i++) {
      queue.putSync(item);
      queue.getSync();
    }
  };
}

const variants = {
  acquireSync() {
    const lock = new Lock();
    return (n) => {
      for (let i = 0; i < n; i++) {
        lock.acquireSync();
        lock.release();
      }
    };
  },

  'acquireSync-16'() {
    const locks = Array.from({ length: 16 }, () => new Lock());
    return (n) => {
      for (let i = 0; i < n; i += locks.length) {
        for (const lock of locks) {
          lock.acquireSync();
          lock.release();
        }
      }
    };
  },

  'acquireSync-guard'() {
    const lock = new Lock();
    return (n) => {
      for (let i = 0; i < n; i++) {
        const guard = lock.acquireSync();
        guard.release();
      }
    };
  },

  // This is what `using guard = lock.acquireSync()` does at the normal end of its block. Node 20
  // has the symbol, and not the syntax.
  using() {
    const lock = new Lock();
    return (n) => {
      for (let i = 0; i < n; i++) {
        const guard = lock.acquireSync();
        try {
          // A program would do its work here.
        } finally {
          guard[Symbol.dispose]();
        }
      }
    };
  },

  'tryAcquire-guard'() {
    const lock = new Lock();
    return (n) => {
      for (let i = 0; i < n; i++) {
        const guard = lock.tryAcquire();
        guard.release();
      }
    };
  },

  'acquire-guard'() {
    const lock = new Lock();
    return async (n) => {
      for (let i = 0; i < n; i++) {
        const guard = await lock.acquire();
        guard.release();
      }
    };
  },

  rlock() {
    const rlock = new RLock();
    return (n) => {
      for (let i = 0; i < n; i++) {
        rlock.acquireSync();
        rlock.release();
      }
    };
  },

  'rlock-nested'() {
    const rlock = new RLock();
    rlock.acquireSync();
    return (n) => {
      for (let i = 0; i < n; i++) {
        rlock.acquireSync();
        rlock.release();
      }
    };
  },

  semaphore() {
    const semaphore = new Semaphore(1);
    return (n) => {
      for (let i = 0; i < n; i++) {
        semaphore.acquireSync();
        semaphore.release();
      }
    };
  },

  isSet() {
    const event = new Event();
    event.set();
    return (n) => {
      let set = 0;
      for (let i = 0; i < n; i++) if (event.isSet()) set++;
      if (set !== n) throw new Error('an event that was set is not');
    };
  },

  'queue-object': () => putAndGet(items.object),

  'queue-kib': () => putAndGet(items.kib),

  'queue-true': () => putAndGet(true),

  'codec-object'() {
    const codec = codecFor(codecs.structured);
    const scratch = new Scratch();
    const item = items.object;
    return (n) => {
      for (let i = 0; i < n; i++) {
        codec.encode(item, scratch);
        codec.decode(codec.type, codec.bytes, codec.start, codec.end);
      }
    };
  },

  'queue-string': () => putAndGet(items.string),
};

await report(variant(variants)());
