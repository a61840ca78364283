// Named locks: request and release of one name, of 10,000 names by turns, and of one name while
// 100,000 others are held. The first word of the variant says by what.
import { report, variant } from './timed.mjs';

const many = 10_000;
const live = 100_000;
const names = Array.from({ length: many }, (_, i) => `user:${i}`);

/** `pair` holds the lock of a name for a moment; `hold` keeps it. */
const contestants = {
  async holdfast() {
    const { LockManager } = await import('../holdfast.mjs');
    const manager = new LockManager({ namespace: 'bench' });
    return {
      pair: (name) => manager.request(name, () => {}),
      hold: (name) => manager.acquire(name),
    };
  },

  async navigator() {
    const { locks } = navigator;
    return {
      pair: (name) => locks.request(name, () => {}),
      hold: (name) =>
        new Promise((held) => {
          void locks.request(name, () => new Promise(() => held()));
        }),
    };
  },

  async asyncLock() {
    const { default: AsyncLock } = await import('async-lock');
    const lock = new AsyncLock();
    return {
      pair: (name) => lock.acquire(name, async () => {}),
      hold: (name) =>
        new Promise((held) => {
          void lock.acquire(name, () => new Promise(() => held()));
        }),
    };
  },

  /** A mutex for each name, as its users write it: it goes when nobody has it. */
  async mutexes() {
    const { Mutex } = await import('async-mutex');
    const all = new Map();
    const mutexOf = (name) => {
      if (!all.has(name)) all.set(name, new Mutex());
      return all.get(name);
    };
    return {
      async pair(name) {
        const mutex = mutexOf(name);
        const release = await mutex.acquire();
        release();
        if (!mutex.isLocked()) all.delete(name);
      },
      hold: (name) => mutexOf(name).acquire(),
    };
  },
};

const loops = {
  one:
    ({ pair }) =>
    async (n) => {
      for (let i = 0; i < n; i++) await pair('user');
    },
  many:
    ({ pair }) =>
    async (n) => {
      for (let i = 0; i < n; i++) await pair(names[i % many]);
    },
};

const variants = {};
for (const [who, make] of Object.entries(contestants)) {
  variants[`${who}-one`] = async () => loops.one(await make());
  variants[`${who}-many`] = async () => loops.many(await make());
  variants[`${who}-live`] = async () => {
    const contestant = await make();
    for (let i = 0; i < live; i++) await contestant.hold(`live:${i}`);
    return loops.one(contestant);
  };
}

await report(await variant(variants)());
// What is held may keep a process alive, or not.
process.exit();
