import { Lock, RLock, Semaphore } from '../holdfast.mjs';
import { report, variant } from './timed.mjs';

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
};

await report(variant(variants)());
