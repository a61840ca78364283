// A Lock keeps out its own holder, too. An RLock lets its holder in again. test/objects/rlock tests
// whether the thread or the task is the holder; where that matters here, acquire() is by thread.
import assert from 'node:assert/strict';
import { type Guard, Lock, RLock } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  isFree,
  newActor,
  sharedActor,
  track,
  until,
  waiting,
} from '../support/index.js';

describe('reentrancy', () => {
  describe('Lock', () => {
    it('acquireSync() of what this thread holds is a DeadlockError', () => {
      const name = freshName();
      const lock = track(new Lock({ name }));
      const other = track(new Lock({ name }));
      const guard = lock.acquireSync();
      const about = { kind: 'Lock', objectName: name };
      assertThrows(() => lock.acquireSync(), 'DeadlockError', about);
      assertThrows(() => lock.acquireSync({}), 'DeadlockError', about);
      assertThrows(() => other.acquireSync(), 'DeadlockError', about);
      assert.equal(lock.locked(), true);
      guard.release();
      assert.equal(lock.locked(), false);
      other.acquireSync().release();
    });

    it('with a timeout it waits, and ends with TimeoutError', () => {
      const lock = track(new Lock());
      lock.acquireSync();
      const began = performance.now();
      assertThrows(() => lock.acquireSync({ timeout: 70 }), 'TimeoutError');
      assert.ok(performance.now() - began >= 70);
      assertThrows(() => lock.acquireSync({ timeout: 0 }), 'TimeoutError');
      assert.equal(lock.tryAcquire(), null);
      assert.equal(lock.inspect().acquisitions, 1);
    });

    it('acquire() waits for another task of the thread', async () => {
      const lock = track(new Lock());
      const guard = lock.acquireSync();
      let entered = false;
      const wait = lock.acquire().then((second) => {
        entered = true;
        return second;
      });
      await assertRejects(lock.acquire({ timeout: 20 }), 'TimeoutError');
      assert.equal(entered, false);
      guard.release();
      (await wait).release();
    });

    it('no DeadlockError for what another thread of the process holds', async () => {
      const name = freshName();
      const lock = track(new Lock({ name }));
      lock.acquireSync();
      const worker = await (await sharedActor('worker')).open('Lock', { name });
      const wait = worker.acquireSync();
      await until(() => lock.inspect().waiters === 1, 'the worker waits');
      lock.release();
      await (await wait).release();
    });
  });

  describe('RLock', () => {
    it('is held until it has been released as often as it was acquired', async () => {
      const name = freshName();
      const lock = track(new RLock({ name, scope: 'thread' }));
      const other = await (await sharedActor('process')).open('RLock', { name });
      assert.equal(lock.depth(), 0);
      const depths = [];
      for (let depth = 1; depth <= 100; depth++) {
        const ways = [
          () => void lock.acquireSync(),
          () => lock.acquire(),
          () => void lock.tryAcquire()!,
          () => lock.acquire({ timeout: 0 }),
          () => void lock.acquireSync({ timeout: 0 }),
        ];
        await ways[depth % ways.length]!();
        depths.push(lock.depth());
      }
      assert.deepEqual(
        depths,
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
      for (let depth = 99; depth >= 0; depth--) {
        assert.equal(await other.tryAcquire(), null, `at depth ${depth + 1}`);
        lock.release();
        assert.equal(lock.depth(), depth);
      }
      assert.equal(lock.locked(), false);
      assertThrows(() => lock.release(), 'NotOwnerError', { kind: 'RLock', objectName: name });
      await (await other.tryAcquire())!.release();
      assert.equal(lock.inspect().acquisitions, 2, 'outermost ones are counted');
    });

    it('guards of one hold may be released in any order', () => {
      const lock = track(new RLock());
      const guards = [lock.acquireSync(), lock.tryAcquire()!, lock.acquireSync()];
      guards[1]!.release();
      guards[0]!.release();
      assert.equal(lock.depth(), 1);
      guards[0]!.release();
      assert.equal(lock.depth(), 1);
      guards[2]!.release();
      assert.equal(lock.locked(), false);
    });

    it('two objects of a thread are one lock at one depth', () => {
      const name = freshName();
      const [one, two] = [track(new RLock({ name })), track(new RLock({ name }))];
      one.acquireSync();
      two.acquireSync();
      assert.deepEqual([one.depth(), two.depth()], [2, 2]);
      one.release();
      one.release();
      assert.deepEqual([one.depth(), two.depth()], [0, 0]);
    });

    for (const place of ['worker', 'process'] as const) {
      it(`release() by another ${place} is a NotOwnerError, free or held`, async () => {
        const name = freshName();
        const lock = track(new RLock({ name }));
        const other = await (await sharedActor(place)).open('RLock', { name });
        const about = { kind: 'RLock', objectName: name };
        await assertRejects(other.release(), 'NotOwnerError', about);
        lock.acquireSync();
        lock.acquireSync();
        await assertRejects(other.release(), 'NotOwnerError', about);
        assert.equal(await other.depth(), 0);
        assert.equal(await other.locked(), true);
        assert.equal(lock.depth(), 2);
        lock.release();
        lock.release();
      });
    }

    it('its holder enters at once, even if others wait', async () => {
      const name = freshName();
      const lock = track(new RLock({ name, scope: 'thread' }));
      const process = await (await sharedActor('process')).open('RLock', { name });
      const worker = await (await sharedActor('worker')).open('RLock', { name });
      const guard = await lock.acquire();
      const waits = [process.acquire(), worker.acquireSync()];
      await until(() => lock.inspect().waiters === 2, 'both wait');
      for (const again of [await lock.acquire(), lock.acquireSync(), lock.tryAcquire()!]) {
        again.release();
      }
      assert.equal(lock.depth(), 1);
      guard.release();
      await Promise.all(waits.map(async (wait) => (await wait).release()));
      assert.ok(await isFree(process));
    });

    it('two tasks of one thread are inside, and other threads wait for both', async () => {
      const name = freshName();
      const elsewhere = await (await newActor('worker')).open('RLock', { name });
      const held = await elsewhere.acquire();
      const here = await sharedActor('thread');
      const [one, two] = [await here.open('RLock', { name }), await here.open('RLock', { name })];
      const waits = [one.acquire(), two.acquire()];
      await waiting(elsewhere, 2);
      await held.release();
      const holds = await Promise.all(waits);
      assert.equal(await one.depth(), 2);
      await holds[0]!.release();
      assert.equal(await elsewhere.tryAcquire(), null);
      await holds[1]!.release();
      assert.ok(await isFree(elsewhere));
    });

    it('an abandoned hold is abandoned whole, however deep', async () => {
      const name = freshName();
      const lock = track(new RLock({ name }));
      const process = await newActor('process');
      const theirs = await process.open('RLock', { name });
      for (let i = 0; i < 5; i++) await theirs.acquire();
      await process.kill();
      const guard: Guard = lock.acquireSync();
      assert.deepEqual([guard.abandoned, lock.depth()], [true, 1]);
      // Only the guard of the outermost acquisition says that the holder died.
      assert.equal(lock.acquireSync().abandoned, false);
      lock.release();
      guard.release();
      assert.equal(lock.acquireSync().abandoned, false);
      lock.release();
    });
  });
});
