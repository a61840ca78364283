// An unknown option is a TypeError. It names the option that was probably meant.
import assert from 'node:assert/strict';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  list,
} from 'holdfast';
import { type NamedKind, openers, freshName, track } from '../support/index.js';

type Waits = Record<string, (options: object) => unknown>;

/** The methods that wait, by the object that they are called on. */
function everyWait() {
  const queue = track(new Queue<number>());
  const jobs = track(new JoinableQueue<number>());
  const lock = track(new RLock());
  const condition = track(new Condition(lock));
  const table = track(new ReadWriteLock());
  const permits = track(new BoundedSemaphore(1));
  const fn = () => {};
  const waits: Record<string, Waits> = {
    queue: {
      put: (options) => queue.put(1, options),
      putMany: (options) => queue.putMany([1], options),
      get: (options) => queue.get(options),
      getMany: (options) => queue.getMany(1, options),
      putSync: (options) => queue.putSync(1, options),
      putManySync: (options) => queue.putManySync([1], options),
      getSync: (options) => queue.getSync(options),
      getManySync: (options) => queue.getManySync(1, options),
    },
    jobs: {
      take: (options) => jobs.take(options),
      takeSync: (options) => jobs.takeSync(options),
      join: (options) => jobs.join(options),
      joinSync: (options) => jobs.joinSync(options),
    },
    lock: {
      acquire: (options) => lock.acquire(options),
      acquireSync: (options) => lock.acquireSync(options),
      runExclusive: (options) => lock.runExclusive(fn, options),
    },
    condition: {
      acquire: (options) => condition.acquire(options),
      acquireSync: (options) => condition.acquireSync(options),
      runExclusive: (options) => condition.runExclusive(fn, options),
      wait: (options) => condition.wait(options),
      waitSync: (options) => condition.waitSync(options),
      waitFor: (options) => condition.waitFor(() => true, options),
      waitForSync: (options) => condition.waitForSync(() => true, options),
    },
    table: {
      acquireShared: (options) => table.acquireShared(options),
      acquireSharedSync: (options) => table.acquireSharedSync(options),
      acquireExclusive: (options) => table.acquireExclusive(options),
      acquireExclusiveSync: (options) => table.acquireExclusiveSync(options),
      runShared: (options) => table.runShared(fn, options),
      runExclusive: (options) => table.runExclusive(fn, options),
    },
    permits: {
      acquire: (options) => permits.acquire(options),
      acquireSync: (options) => permits.acquireSync(options),
      withPermit: (options) => permits.withPermit(fn, options),
    },
    semaphore: {
      acquire: (options) => track(new Semaphore()).acquire(options),
      acquireSync: (options) => track(new Semaphore()).acquireSync(options),
    },
    event: {
      wait: (options) => track(new Event()).wait(options),
      waitSync: (options) => track(new Event()).waitSync(options),
    },
    barrier: {
      wait: (options) => track(new Barrier(1)).wait(options),
      waitSync: (options) => track(new Barrier(1)).waitSync(options),
    },
  };
  return { queue, jobs, waits };
}

describe('bad input, unknown options', () => {
  const unknown = (key: string, nearest: string) => (error: unknown) => {
    assert.ok(error instanceof TypeError, String(error));
    assert.ok(error.message.startsWith(`unknown option "${key}"; did you mean ${nearest}? `));
    return true;
  };
  const openMisspelt: [key: string, nearest: string, kinds?: readonly NamedKind[]][] = [
    ['nmae', 'name'],
    ['Name', 'name'],
    ['exclusiv', 'exclusive'],
    ['must_exist', 'mustExist'],
    ['persist', 'persistent'],
    ['sope', 'scope', ['RLock', 'Condition']],
    ['maxsize', 'maxSize', ['Queue', 'JoinableQueue']],
    ['max', 'maxSize', ['Queue', 'JoinableQueue']],
    ['maxByte', 'maxBytes', ['Queue', 'JoinableQueue']],
    ['codecs', 'codec', ['Queue', 'JoinableQueue']],
    ['acton', 'action', ['Barrier']],
    ['timeoutMs', 'timeout', ['Barrier']],
  ];
  const everyKind = Object.keys(openers) as NamedKind[];
  for (const [key, nearest, kinds = everyKind] of openMisspelt) {
    it(`${key} is not ${nearest}: ${kinds.length === everyKind.length ? 'every kind' : kinds}`, () => {
      for (const kind of kinds) {
        const name = freshName();
        const options = { name, [key]: undefined };
        assert.throws(() => openers[kind](options), unknown(key, nearest), kind);
        assert.ok(!list().some((entry) => entry.name === name), kind);
      }
    });
  }

  it('the option of one kind is none of another', () => {
    assert.throws(() => new Lock({ scope: 'async' } as object), /unknown option "scope"/);
    assert.throws(() => new Event({ maxSize: 1 } as object), TypeError);
    assert.throws(() => new Queue({ timeout: 1 } as object), TypeError);
  });

  it('a misspelt option is reported before a missing one', () => {
    for (const Class of [Barrier, BoundedSemaphore, SharedMemory]) {
      const options = { nmae: freshName() } as object;
      assert.throws(() => new Class(undefined, options), unknown('nmae', 'name'), Class.name);
    }
  });

  it('the message stays short, and names every option', () => {
    const key = 'x'.repeat(1e6);
    assert.throws(
      () => new Lock({ [key]: 1 }),
      (error: Error) =>
        error.message.length < 300 &&
        ['name', 'exclusive', 'mustExist', 'persistent'].every((it) => error.message.includes(it)),
    );
  });

  it('every wait', async () => {
    const { queue, jobs, waits } = everyWait();
    for (const [object, methods] of Object.entries(waits)) {
      for (const [method, wait] of Object.entries(methods)) {
        const rejects = assert.rejects(
          async () => wait({ timout: 1 }),
          unknown('timout', 'timeout'),
        );
        await rejects.catch((error: Error) => assert.fail(`${object}.${method}: ${error.message}`));
      }
    }
    assert.equal(queue.size(), 0);
    assert.equal(jobs.unfinished(), 0);
  });

  it('inherited keys: options count, and other keys are ignored', () => {
    const name = freshName();
    const inherited = Object.create({ name, helper: true }) as object;
    assert.equal(track(new Lock(inherited)).name, name);
  });
});
