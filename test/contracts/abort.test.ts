// An aborted signal ends a wait with its reason, and the waiter never ends up holding the lock.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { Lock, Semaphore } from 'holdfast';
import {
  allKinds,
  forEachCase,
  freshName,
  isFree,
  newActor,
  sharedActor,
  track,
  waiting,
} from '../support/index.js';

describe('abort', () => {
  forEachCase(allKinds, (subject) => {
    it('rejects with the reason, and the lock stays the holder’s', async () => {
      const { a, b } = await subject.open();
      const held = await a.acquire();
      const wait = b.acquire({ signal: 'live' });
      await waiting(a);
      await wait.abort('enough');
      await assert.rejects(wait, { name: 'Error', message: 'enough' });
      const { waiters, acquisitions } = await a.inspect();
      assert.deepEqual({ waiters, acquisitions }, { waiters: 0, acquisitions: 1 });
      await held.release();
      assert.ok(await isFree(b));
      assert.ok(await a.tryAcquire());
    });

    it('a signal that was aborted before acquires nothing, free or not', async () => {
      const { a, b } = await subject.open();
      await assert.rejects(b.acquire({ signal: 'aborted' }), { message: 'aborted before' });
      assert.ok(await isFree(a));
      await a.acquire();
      await assert.rejects(b.acquire({ signal: 'aborted' }), { message: 'aborted before' });
      const { waiters, acquisitions, contentions } = await a.inspect();
      assert.deepEqual([waiters, acquisitions, contentions], [0, 1, 0]);
    });

    it('has no effect once acquired', async () => {
      const { a, b } = await subject.open();
      const held = await a.acquire();
      const wait = b.acquire({ signal: 'live' });
      await waiting(a);
      await held.release();
      const hold = await wait;
      await wait.abort();
      assert.equal(await a.tryAcquire(), null);
      await hold.release();
      assert.ok(await isFree(a));
    });

    it('the first of timeout and abort ends the wait', async () => {
      const { a, b } = await subject.open();
      await a.acquire();
      const first = b.acquire({ signal: 'live', timeout: 60_000 });
      await first.started;
      await first.abort('sooner');
      await assert.rejects(first, { message: 'sooner' });
      const second = b.acquire({ signal: 'live', timeout: 20 });
      await assert.rejects(second, { name: 'TimeoutError' });
      await second.abort('later');
      assert.equal((await a.inspect()).waiters, 0);
    });
  });

  // A waiter is woken, and is aborted before its event loop has read the doorbell. Then the next
  // waiter gets the lock. Without one the lock stays free.
  it('in the same turn as the release', async () => {
    const name = freshName();
    using lock = new Lock({ name });
    const other = await (await newActor('process')).open('Lock', { name });
    for (const somebodyElse of [false, true]) {
      const guard = lock.acquireSync();
      const controller = new AbortController();
      const wait = lock.acquire({ signal: controller.signal });
      const theirs = somebodyElse ? other.acquire() : undefined;
      await theirs?.started;
      guard.release();
      controller.abort();
      await assert.rejects(wait, { name: 'AbortError' });
      await (await theirs)?.release();
      assert.ok(await isFree(other));
    }
  });

  it('rejects with the very reason that abort() was given', async () => {
    using semaphore = new Semaphore(0);
    for (const reason of [new TypeError('mine'), 'a string', { any: 'thing' }, null, 0]) {
      const controller = new AbortController();
      const wait = semaphore.acquire({ signal: controller.signal });
      controller.abort(reason);
      const again = semaphore.acquire({ signal: controller.signal });
      for (const result of await Promise.allSettled([wait, again])) {
        assert.deepEqual(result, { status: 'rejected', reason });
        assert.equal((result as PromiseRejectedResult).reason, reason);
      }
    }
    await assert.rejects(semaphore.acquire({ signal: AbortSignal.timeout(10) }), {
      name: 'TimeoutError',
      code: 23, // a DOMException of the platform: the reason, not an error of this package
    });
  });

  // An abort calls the listeners one after the other. The first listener here releases the lock and
  // withdraws the head of the queue. Now the aborted wait is at the head, and must not get the
  // lock.
  it('a wait whose abort has begun acquires nothing', async () => {
    const lock = track(new Lock());
    const [first, second] = [new AbortController(), new AbortController()];
    const guard = lock.acquireSync();
    second.signal.addEventListener('abort', () => {
      guard.release();
      first.abort(new Error('first'));
    });
    const waits = [lock.acquire({ signal: first.signal }), lock.acquire({ signal: second.signal })];
    second.abort(new Error('second'));
    const messages = (await Promise.allSettled(waits)).map(
      (it) => it.status === 'rejected' && it.reason.message,
    );
    assert.deepEqual(messages, ['first', 'second']);
    assert.equal(lock.locked(), false);
  });

  it('one signal ends many waits at once', async () => {
    using semaphore = new Semaphore(0);
    using lock = new Lock();
    lock.acquireSync();
    const controller = new AbortController();
    const { signal } = controller;
    const waits = Array.from({ length: 50 }, (_, i) =>
      (i % 2 ? semaphore : lock).acquire({ signal }),
    );
    // Node takes more than ten listeners for a leak, and prints a warning.
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    const stays = semaphore.acquire();
    controller.abort(new Error('all of them'));
    for (const wait of waits) await assert.rejects(wait, { message: 'all of them' });
    assert.equal(semaphore.inspect().waiters, 1);
    semaphore.release();
    await stays;
    lock.release();
  });

  it('leaves no listener on the signal, however the wait ended', async () => {
    using semaphore = new Semaphore(0);
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = () => getEventListeners(signal, 'abort').length;

    const acquired = semaphore.acquire({ signal });
    assert.equal(listeners(), 1);
    semaphore.release();
    await acquired;
    assert.equal(listeners(), 0, 'acquired');

    await assert.rejects(semaphore.acquire({ signal, timeout: 1 }));
    assert.equal(listeners(), 0, 'timed out');

    const several = [1, 30].map((timeout) => semaphore.acquire({ signal, timeout }));
    assert.equal(listeners(), 1, 'two waits');
    await assert.rejects(several[0]!);
    assert.equal(listeners(), 1, 'one of two waits timed out');
    await assert.rejects(several[1]!);
    assert.equal(listeners(), 0, 'both timed out');

    semaphore.release();
    await semaphore.acquire({ signal });
    assert.equal(listeners(), 0, 'without waiting');

    const name = freshName();
    const object = new Semaphore(0, { name });
    const closed = object.acquire({ signal });
    object.close();
    await assert.rejects(closed, { name: 'ClosedError' });
    assert.equal(listeners(), 0, 'closed');
  });

  it('an abort in the middle of the queue does not change the order of the others', async () => {
    const name = freshName();
    const holder = await (await sharedActor('worker')).open('Lock', { name });
    const held = await holder.acquire();
    using lock = new Lock({ name });
    const controller = new AbortController();
    const order: string[] = [];
    const take = async (who: string, signal?: AbortSignal) => {
      using _ = await lock.acquire({ ...(signal && { signal }) });
      order.push(who);
    };
    const all = [take('1'), take('2'), take('3', controller.signal), take('4')];
    controller.abort(new Error('not 3'));
    await assert.rejects(all[2]!, { message: 'not 3' });
    await held.release();
    await Promise.all([all[0], all[1], all[3]]);
    assert.deepEqual(order, ['1', '2', '4']);
  });
});
