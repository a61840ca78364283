// What an acquisition returns, and runExclusive(), which uses it.
import assert from 'node:assert/strict';
import { type Guard, Lock, NotLockedError, NotOwnerError, RLock } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  isFree,
  ownedKinds,
  sharedActor,
  track,
} from '../support/index.js';

const open = {
  Lock: (name: string) => track(new Lock({ name })),
  RLock: (name: string) => track(new RLock({ name })),
};

for (const kind of ownedKinds) {
  describe(`guards of a ${kind}`, () => {
    it('the first release() releases, and a second one does nothing', async () => {
      const lock = open[kind](freshName());
      const acquisitions: (() => Guard | Promise<Guard>)[] = [
        () => lock.tryAcquire()!,
        () => lock.acquireSync(),
        () => lock.acquire(),
      ];
      for (const acquire of acquisitions) {
        const guard = await acquire();
        assert.equal(guard.abandoned, false);
        assert.equal(lock.locked(), true);
        guard.release();
        assert.equal(lock.locked(), false);
        guard.release();
        guard[Symbol.dispose]();
        // The same thread holds the lock again, and this guard has nothing to do with that hold.
        const next = lock.acquireSync();
        guard.release();
        assert.equal(lock.locked(), true);
        next.release();
      }
    });

    it('`using` releases at the end of the block, however it ends', () => {
      const lock = open[kind](freshName());
      assert.throws(() => {
        using _ = lock.acquireSync();
        assert.equal(lock.locked(), true);
        throw new Error('out of the block');
      }, /out of the block/);
      assert.equal(lock.locked(), false);
    });

    it('a free lock cannot be released', async () => {
      const name = freshName();
      const lock = open[kind](name);
      const error = kind === 'Lock' ? 'NotLockedError' : 'NotOwnerError';
      const about = { kind, objectName: name };
      assertThrows(() => lock.release(), error, about);
      lock.acquireSync();
      lock.release();
      assertThrows(() => lock.release(), error, about);
      assert.ok(await isFree(await (await sharedActor('process')).attach(lock.toJSON())));
    });
  });
}

describe('a hold that was ended by another caller', () => {
  for (const place of ['thread', 'worker', 'process'] as const) {
    it(`Lock, by release() in a ${place}: NotLockedError, once`, async () => {
      const name = freshName();
      const lock = open.Lock(name);
      const other = await (await sharedActor(place)).open('Lock', { name });
      const guard = lock.acquireSync();
      await other.release();
      assert.equal(lock.locked(), false);
      assertThrows(() => guard.release(), 'NotLockedError', { kind: 'Lock', objectName: name });
      guard.release();
      assert.ok(await isFree(other));
    });

    it(`Lock, by a ${place} that holds it now, which keeps it`, async () => {
      const name = freshName();
      const lock = open.Lock(name);
      const other = await (await sharedActor(place)).open('Lock', { name });
      const guard = lock.acquireSync();
      await other.release();
      const theirs = await other.tryAcquire();
      // INV-1: a guard releases the hold that it was made for. It does not release a later one,
      // even of the same thread.
      assert.throws(() => guard.release(), NotLockedError);
      assert.equal(lock.locked(), true);
      await theirs!.release();
    });
  }

  it('RLock, by release() of the same thread: NotOwnerError, once', () => {
    const lock = open.RLock(freshName());
    const guard = lock.acquireSync();
    lock.release();
    assert.throws(() => guard.release(), NotOwnerError);
    guard.release();
    // A guard of an earlier hold must not end a later one.
    const [first] = [lock.acquireSync()];
    lock.release();
    const second = lock.acquireSync();
    assert.throws(() => first.release(), NotOwnerError);
    assert.equal(lock.depth(), 1);
    second.release();
  });

  it('Lock: a third process holds it while the first still believes that it does', async () => {
    const name = freshName();
    const lock = open.Lock(name);
    const [releaser, waiter] = [await sharedActor('process', 1), await sharedActor('process', 2)];
    const guard = lock.acquireSync();
    const wait = (await waiter.open('Lock', { name })).acquire();
    await wait.started;
    await (await releaser.open('Lock', { name })).release();
    const hold = await wait;
    assertThrows(() => guard.release(), 'NotLockedError');
    assert.equal(lock.inspect().owner?.pid, waiter.pid);
    await hold.release();
  });
});

for (const kind of ownedKinds) {
  describe(`${kind}.runExclusive()`, () => {
    it('resolves to what the function returns or resolves to', async () => {
      const lock = open[kind](freshName());
      const inside: boolean[] = [];
      const sync = await lock.runExclusive((guard) => {
        inside.push(lock.locked(), guard.abandoned);
        return 'sync';
      });
      const async = await lock.runExclusive(async () => {
        await Promise.resolve();
        inside.push(lock.locked());
        return { a: 1 };
      });
      assert.deepEqual([sync, async, inside], ['sync', { a: 1 }, [true, false, true]]);
      assert.equal(await lock.runExclusive(() => undefined), undefined);
      assert.equal(lock.locked(), false);
    });

    it('releases and rejects when the function throws or rejects', async () => {
      const lock = open[kind](freshName());
      const reason = new Error('inside');
      const bodies = [
        () => {
          throw reason;
        },
        async () => {
          await Promise.resolve();
          throw reason;
        },
      ];
      for (const body of bodies) {
        await lock.runExclusive(body).then(assert.fail, (error) => assert.equal(error, reason));
        assert.equal(lock.locked(), false);
      }
    });

    it('does not call the function if it cannot have the lock', async () => {
      const name = freshName();
      const lock = open[kind](name);
      const other = await (await sharedActor('worker')).open(kind, { name });
      const held = await other.acquire();
      let called = false;
      const body = () => {
        called = true;
      };
      await assertRejects(lock.runExclusive(body, { timeout: 20 }), 'TimeoutError');
      const signal = AbortSignal.abort(new Error('before'));
      await assert.rejects(lock.runExclusive(body, { signal }), { message: 'before' });
      await assert.rejects(lock.runExclusive(body, { timeout: -1 }), RangeError);
      await assert.rejects(lock.runExclusive('no function' as never), TypeError);
      assert.equal(called, false);
      await held.release();
      await lock.runExclusive(body);
      assert.equal(called, true);
    });

    it('the function may release early, by its guard', async () => {
      const lock = open[kind](freshName());
      await lock.runExclusive((guard) => {
        guard.release();
        assert.equal(lock.locked(), false);
      });
    });

    it('rejects if the hold was not ended by its guard', async () => {
      const lock = open[kind](freshName());
      const error = kind === 'Lock' ? 'NotLockedError' : 'NotOwnerError';
      await assertRejects(
        lock.runExclusive(() => lock.release()),
        error,
      );
    });

    if (kind === 'Lock') {
      it('keeps the tasks of one thread apart', async () => {
        const lock = open[kind](freshName());
        let inside = 0;
        const order: number[] = [];
        const task = (i: number) =>
          lock.runExclusive(async () => {
            assert.equal(++inside, 1);
            await new Promise((resolve) => setImmediate(resolve));
            order.push(i);
            inside--;
          });
        await Promise.all(Array.from({ length: 50 }, (_, i) => task(i)));
        assert.deepEqual(order, [...Array(50).keys()]);
      });
    }
  });
}
