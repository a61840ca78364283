import { Lock, ReadWriteLock, RLock, SharedMemory, TimeoutError } from 'holdfast';
import { eachHolder, inProcess, inWorker, places } from '../actors.mjs';
import { deepEqual, equal, freshName, ok, rejects, throws } from '../expect.mjs';
import { until } from '../until.mjs';

/** In turn, an actor of each place holds the lock while `check` runs. */
async function whileHeld(what, name, check) {
  for await (const holder of eachHolder(what, name)) {
    await check();
    holder.tell('release');
    equal(await holder.says(), 'released');
  }
}

export const locks = {
  'Lock acquires without waiting and releases': async () => {
    const lock = new Lock();
    lock.acquireSync().release();
    (await lock.acquire()).release();
    const guard = lock.tryAcquire();
    ok(lock.locked());
    equal(lock.tryAcquire(), null);
    guard.release();
    ok(!lock.locked());
    lock.close();
  },

  'Lock serves the waits of a thread in their order': async () => {
    const lock = new Lock();
    const first = lock.acquireSync();
    const order = [];
    const waits = [1, 2, 3].map(async (number) => {
      const guard = await lock.acquire();
      order.push(number);
      guard.release();
    });
    first.release();
    await Promise.all(waits);
    deepEqual(order, [1, 2, 3]);
    lock.close();
  },

  'Lock times out': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    await whileHeld('Lock', name, async () => {
      throws(TimeoutError, () => lock.acquireSync({ timeout: 20 }));
      await rejects(TimeoutError, lock.acquire({ timeout: 20 }));
      await rejects(TimeoutError, lock.acquire({ timeout: 0 }));
      equal(lock.tryAcquire(), null);
    });
    lock.tryAcquire().release();
    lock.close();
  },

  'Lock: a signal ends a wait': async () => {
    const lock = new Lock();
    const guard = lock.acquireSync();
    const controller = new AbortController();
    const wait = lock.acquire({ signal: controller.signal });
    controller.abort(new RangeError('enough'));
    await rejects(RangeError, wait);
    guard.release();
    ok(!lock.locked());
    lock.close();
  },

  'Lock: runExclusive() releases, also after an error': async () => {
    const lock = new Lock();
    equal(await lock.runExclusive(async () => 5), 5);
    await rejects(
      RangeError,
      lock.runExclusive(() => Promise.reject(new RangeError())),
    );
    ok(!lock.locked());
    lock.close();
  },

  'Lock: an asynchronous wait gets it from another process and from a worker': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    for await (const holder of eachHolder('Lock', name)) {
      const wait = lock.acquire();
      holder.tell('release');
      const guard = await wait;
      ok(!guard.abandoned);
      guard.release();
    }
    lock.close();
  },

  'Lock: a blocking wait gets it from this process': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    for (const start of places) {
      const guard = lock.acquireSync();
      const waiter = start('acquire', 'Lock', name);
      equal(await waiter.says(), 'acquires');
      guard.release();
      equal(await waiter.says(), 'acquired, abandoned: false');
      await waiter.ended;
    }
    lock.close();
  },

  'Lock: a holder is killed, and an asynchronous wait is told': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    for await (const holder of eachHolder('Lock', name)) {
      const wait = lock.acquire();
      await holder.kill();
      const guard = await wait;
      ok(guard.abandoned);
      guard.release();
    }
    lock.close();
  },

  'Lock: a holder is killed, and a blocking wait is told': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    const holder = inProcess('hold', 'Lock', name);
    equal(await holder.says(), 'held');
    const waiter = inWorker('acquire', 'Lock', name);
    equal(await waiter.says(), 'acquires');
    await holder.kill();
    equal(await waiter.says(), 'acquired, abandoned: true');
    lock.close();
  },

  'Lock: process.exit() abandons it': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    const holder = inProcess('hold', 'Lock', name);
    equal(await holder.says(), 'held');
    holder.tell('exit');
    equal(await holder.ended, 0);
    const guard = lock.acquireSync();
    ok(guard.abandoned);
    guard.release();
    lock.close();
  },

  'Lock: no addition is lost between processes and workers': async () => {
    const [name, memoryName] = [freshName(), freshName()];
    const lock = new Lock({ name });
    const memory = new SharedMemory(8, { name: memoryName });
    const actors = [inProcess, inProcess, inWorker, inWorker].map((start) =>
      start('count', name, memoryName, 100),
    );
    for (const actor of actors) equal(await actor.ended, 0);
    equal(new Float64Array(memory.buffer)[0], 400);
    memory.close();
    lock.close();
  },

  'RLock is recursive for its thread': () => {
    const lock = new RLock({ scope: 'thread' });
    const guards = [lock.acquireSync(), lock.acquireSync(), lock.acquireSync()];
    equal(lock.depth(), 3);
    for (const guard of guards) guard.release();
    ok(!lock.locked());
    lock.close();
  },

  'RLock excludes another task of its thread': async () => {
    const lock = new RLock();
    const order = [];
    const task = (name) =>
      lock.runExclusive(async () => {
        await lock.runExclusive(() => order.push(`${name} in`));
        await new Promise((resolve) => setTimeout(resolve, 1));
        order.push(`${name} out`);
      });
    await Promise.all([task('a'), task('b')]);
    deepEqual(order, ['a in', 'a out', 'b in', 'b out']);
    lock.close();
  },

  'RLock: others are excluded, and a death is told': async () => {
    const name = freshName();
    const lock = new RLock({ name, scope: 'thread' });
    await whileHeld('RLock', name, async () => {
      equal(lock.tryAcquire(), null);
      await rejects(TimeoutError, lock.acquire({ timeout: 5 }));
    });
    for await (const holder of eachHolder('RLock', name)) {
      await holder.kill();
      const guard = await lock.acquire();
      ok(guard.abandoned);
      guard.release();
    }
    lock.close();
  },

  'ReadWriteLock lets readers in together, and a writer alone': async () => {
    const name = freshName();
    const lock = new ReadWriteLock({ name });
    await whileHeld('Reader', name, async () => {
      const guards = [lock.acquireSharedSync(), await lock.acquireShared()];
      equal(lock.tryAcquireExclusive(), null);
      for (const guard of guards) guard.release();
    });
    await whileHeld('Writer', name, () => {
      equal(lock.tryAcquireShared(), null);
      equal(lock.tryAcquireExclusive(), null);
    });
    lock.acquireExclusiveSync().release();
    lock.close();
  },

  'ReadWriteLock: the death of a reader and of a writer': async () => {
    const name = freshName();
    const lock = new ReadWriteLock({ name });
    for await (const reader of eachHolder('Reader', name)) {
      const wait = lock.acquireExclusive();
      await reader.kill();
      (await wait).release();
    }
    for await (const writer of eachHolder('Writer', name)) {
      const wait = lock.acquireExclusive();
      await writer.kill();
      const guard = await wait;
      ok(guard.abandoned);
      guard.release();
    }
    lock.close();
  },

  'Lock: inspect() names the holder': async () => {
    const name = freshName();
    const lock = new Lock({ name });
    const holder = inProcess('hold', 'Lock', name);
    equal(await holder.says(), 'held');
    equal(lock.inspect().owner.pid, holder.pid);
    const wait = lock.acquire();
    await until(() => lock.inspect().waiters === 1);
    holder.tell('release');
    (await wait).release();
    await holder.ended;
    lock.close();
  },
};
