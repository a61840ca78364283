// Options are read once. A getter that answers differently the second time gets past no check. A
// property that was added to Object.prototype is not an option.
import assert from 'node:assert/strict';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  LockManager,
  Process,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  acquireAll,
  attach,
  getStartMethod,
  setStartMethod,
} from 'holdfast';
import { openers, freshName, track } from '../support/index.js';

/** An object whose getters give the right value once, and a wrong one from then on. */
function once<T extends object>(values: T): T {
  const options = {};
  for (const [key, value] of Object.entries(values)) {
    let reads = 0;
    Object.defineProperty(options, key, {
      enumerable: true,
      get: () => (reads++ === 0 ? (value as unknown) : Symbol(`${key}, read ${reads} times`)),
    });
  }
  return options as T;
}

const more: Record<string, object> = {
  RLock: { scope: 'async' },
  Condition: { scope: 'async' },
  Barrier: { action: () => {}, timeout: 1000 },
  Queue: { maxSize: 3, maxBytes: 1 << 20, codec: 'json' },
  JoinableQueue: { maxSize: 3, maxBytes: 1 << 20, codec: 'json' },
};

/** Every method that waits. What it waits for is there. */
const waits: Record<string, (options: object) => unknown> = {
  'Lock.acquire': async (options) => (await track(new Lock()).acquire(options)).release(),
  'Lock.acquireSync': (options) => track(new Lock()).acquireSync(options).release(),
  'Lock.runExclusive': (options) => track(new Lock()).runExclusive(() => {}, options),
  'RLock.acquire': async (options) => (await track(new RLock()).acquire(options)).release(),
  'RLock.runExclusive': (options) => track(new RLock()).runExclusive(() => {}, options),
  'Semaphore.acquire': (options) => track(new Semaphore(1)).acquire(options),
  'Semaphore.acquireSync': (options) => track(new Semaphore(1)).acquireSync(options),
  'BoundedSemaphore.acquire': async (options) =>
    (await track(new BoundedSemaphore(1)).acquire(options)).release(),
  'BoundedSemaphore.acquireSync': (options) =>
    track(new BoundedSemaphore(1)).acquireSync(options).release(),
  'ReadWriteLock.acquireShared': async (options) =>
    (await track(new ReadWriteLock()).acquireShared(options)).release(),
  'ReadWriteLock.acquireExclusive': async (options) =>
    (await track(new ReadWriteLock()).acquireExclusive(options)).release(),
  'ReadWriteLock.acquireExclusiveSync': (options) =>
    track(new ReadWriteLock()).acquireExclusiveSync(options).release(),
  'BoundedSemaphore.withPermit': (options) =>
    track(new BoundedSemaphore(1)).withPermit(() => {}, options),
  'ReadWriteLock.runShared': (options) => track(new ReadWriteLock()).runShared(() => {}, options),
  'Event.wait': (options) => setEvent().wait(options),
  'Event.waitSync': (options) => setEvent().waitSync(options),
  'Barrier.wait': (options) => track(new Barrier(1)).wait(options),
  'Barrier.waitSync': (options) => track(new Barrier(1)).waitSync(options),
  'Queue.put': (options) => track(new Queue()).put(1, options),
  'Queue.putSync': (options) => track(new Queue()).putSync(1, options),
  'Queue.putMany': (options) => track(new Queue()).putMany([1, 2], options),
  'Queue.get': (options) => queueOf(new Queue<number>()).get(options),
  'Queue.getSync': (options) => queueOf(new Queue<number>()).getSync(options),
  'Queue.getMany': (options) => queueOf(new Queue<number>()).getMany(1, options),
  'JoinableQueue.take': async (options) =>
    (await queueOf(new JoinableQueue<number>()).take(options)).done(),
  'JoinableQueue.join': (options) => track(new JoinableQueue()).join(options),
  'JoinableQueue.tasks': async (options) => {
    const queue = queueOf(new JoinableQueue<number>());
    queue.putSync(2);
    queue.end();
    let sum = 0;
    for await (const task of queue.tasks(options)) {
      sum += task.value;
      task.done();
    }
    assert.equal(sum, 3);
  },
  'Condition.waitFor': async (options) => {
    const condition = track(new Condition());
    const guard = await condition.acquire();
    await condition.waitFor(() => true, options);
    guard.release();
  },
  'LockManager.request': (options) => track(new LockManager()).request('a', options, () => {}),
  'LockManager.requestSync': (options) =>
    track(new LockManager()).requestSync('a', options, () => {}),
  acquireAll: async (options) => (await acquireAll([track(new Lock())], options)).release(),
};

function setEvent(): Event {
  const event = track(new Event());
  event.set();
  return event;
}

function queueOf<Q extends Queue<number>>(queue: Q): Q {
  track(queue).putSync(1);
  return queue;
}

describe('options', () => {
  for (const [kind, open] of Object.entries(openers)) {
    it(`are read once: ${kind}`, () => {
      const values = { name: freshName(), exclusive: true, mustExist: false, persistent: false };
      const object = track(open(once({ ...values, ...more[kind] })) as Lock);
      assert.equal(object.name, values.name);
    });
  }

  for (const [method, wait] of Object.entries(waits)) {
    it(`are read once: ${method}`, async () => {
      const { signal } = new AbortController();
      await wait(once(method.endsWith('Sync') ? { timeout: 5000 } : { timeout: 5000, signal }));
    });
  }

  it('are read once: handles, Process, start methods', () => {
    const lock = track(new Lock());
    assert.equal(track(attach(once({ ...lock.toJSON() }))).name, lock.name);
    const target = once({ module: import.meta.url, export: 'nothing' });
    const child = new Process(target, once({ args: [], name: 'Anna', daemon: true }));
    assert.deepEqual([child.name, child.daemon], ['Anna', true]);
    setStartMethod('spawn', once({ preload: [], idle: 1 }));
    assert.equal(getStartMethod(), 'spawn');
  });

  it('may be getters of a class', () => {
    class Options {
      get timeout() {
        return 0;
      }
    }
    const semaphore = track(new Semaphore(0));
    assert.throws(() => semaphore.acquireSync(new Options()), { name: 'TimeoutError' });
  });

  describe('that somebody added to Object.prototype', () => {
    const pollution = {
      name: 'polluted',
      exclusive: 'polluted',
      mustExist: true,
      persistent: true,
      scope: 'polluted',
      maxSize: -1,
      maxItems: 1,
      bytes: -1,
      initial: -1,
      codec: 'polluted',
      action: 'polluted',
      timeout: -1,
      given: 'polluted',
      signal: 'polluted',
      args: 'polluted',
      daemon: 'polluted',
      export: 'polluted',
      deadlock: 'polluted',
      mode: 'polluted',
      steal: true,
      ifAvailable: true,
      preload: 'polluted',
      idle: -1,
    };

    /** Runs synchronously, because no other code here can stand a changed Object.prototype. */
    function polluted<T>(fn: () => T): T {
      const prototype = Object.prototype as Record<string, unknown>;
      try {
        Object.assign(prototype, pollution);
        return fn();
      } finally {
        for (const key of Object.keys(pollution)) delete prototype[key];
      }
    }

    for (const [kind, open] of Object.entries(openers)) {
      it(`are none of ${kind}`, () => {
        const object = polluted(() => open({}));
        track(object as Lock);
        assert.match((object as Lock).name, /^anonymous:/);
      });
    }

    for (const [method, wait] of Object.entries(waits)) {
      it(`are none of ${method}`, async () => {
        await polluted(() => wait({}));
      });
    }

    it('are none of a Process and of a start method', () => {
      const child = polluted(() => new Process({ module: import.meta.url }, {}));
      assert.equal(child.daemon, false);
      polluted(() => setStartMethod('spawn', {}));
    });
  });
});
