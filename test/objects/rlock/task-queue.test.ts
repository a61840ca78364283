// How the tasks of one thread wait for an RLock, hold it and release it.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Guard } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  random,
  twoSlices,
  until,
} from '../../support/index.js';
import { open, outside, assertOutside, assertInside } from './tasks.js';

describe("RLock({ scope: 'async' })", () => {
  it('any number of tasks, at random: never two inside, and every hold ends', async () => {
    const numbers = random('tasks at random');
    const locks = [open(), open(), open()];
    const inside = locks.map(() => 0);
    const task = new AsyncLocalStorage<number>();
    const nest = async (number: number, from: number, level: number): Promise<void> => {
      // The tasks acquire the locks in one order, because this tests exclusion, not deadlocks.
      const index = numbers.whole(from, locks.length - 1);
      const lock = locks[index]!;
      const mine = lock.depth() > 0;
      const body = async () => {
        assert.equal(task.getStore(), number);
        if (!mine) assert.equal(inside[index]!++, 0);
        if (numbers.next() < 0.5) await turn();
        if (level < 3) {
          if (numbers.next() < 0.5) await nest(number, index, level + 1);
          else await Promise.all([nest(number, index, level + 1), nest(number, index, 3)]);
        }
        assert.ok(lock.depth() > 0);
        if (!mine) assert.equal(inside[index]!--, 1);
      };
      if (numbers.next() < 0.5) return lock.runExclusive(body);
      using _ = await lock.acquire();
      await body();
    };
    await Promise.all(
      Array.from({ length: 60 }, (_, number) => task.run(number, () => nest(number, 0, 0))),
    );
    for (const lock of locks) assert.deepEqual([lock.locked(), lock.depth()], [false, 0]);
  });

  describe('among the tasks of a thread', () => {
    it('acquireSync() is a DeadlockError without timeout, and a TimeoutError with one', async () => {
      const name = freshName();
      const lock = open(name);
      await lock.runExclusive(async () => {
        assertInside(lock);
      });
      const guard = lock.acquireSync();
      assertThrows(() => lock.acquireSync(), 'DeadlockError', { kind: 'RLock', objectName: name });
      const began = performance.now();
      assertThrows(() => lock.acquireSync({ timeout: 70 }), 'TimeoutError');
      assert.ok(performance.now() - began >= 70);
      assertThrows(() => lock.acquireSync({ timeout: 0 }), 'TimeoutError');
      guard.release();
      assert.equal(lock.locked(), false);
    });

    it('tasks are served in the order of their calls; a nested acquisition does not queue', async () => {
      const lock = open();
      const order: number[] = [];
      const guard = await lock.acquire();
      const waits = outside(() =>
        [0, 1, 2, 3].map((i) => lock.runExclusive(() => void order.push(i))),
      );
      assert.equal(lock.inspect().waiters, 4);
      const nested = await lock.acquire();
      assert.equal(lock.depth(), 2);
      nested.release();
      guard.release();
      // The lock is free now, but promised to the waiters.
      waits.push(lock.runExclusive(() => void order.push(4)));
      await Promise.all(waits);
      assert.deepEqual(order, [0, 1, 2, 3, 4]);
    });

    it('the abort or timeout of a waiter lets no other waiter in', async () => {
      const lock = open();
      const controller = new AbortController();
      let entered = 0;
      await lock.runExclusive(async () => {
        const waits = outside(() => [
          assert.rejects(lock.acquire({ signal: controller.signal }), { name: 'AbortError' }),
          assertRejects(lock.acquire({ timeout: 10 }), 'TimeoutError'),
          lock.runExclusive(() => void entered++),
        ]);
        // The queue is served in the context of the holder. But the waiter there is not the holder.
        controller.abort();
        await Promise.all(waits.slice(0, 2));
        await twoSlices();
        assert.deepEqual([entered, lock.depth(), lock.inspect().waiters], [0, 1, 1]);
      });
      await until(() => entered === 1, 'the last one has it');
    });

    it('release() works in the holding task, guard.release() everywhere', async () => {
      const lock = open();
      let guard: Guard | undefined;
      await lock.acquire().then((taken) => {
        guard = taken;
        lock.tryAcquire();
        lock.release();
        assert.equal(lock.depth(), 1);
      });
      assertThrows(() => lock.release(), 'NotOwnerError', { kind: 'RLock' });
      guard!.release();
      assert.equal(lock.locked(), false);
      assertThrows(() => lock.release(), 'NotOwnerError');
      guard!.release();

      // release() has ended the hold, so the guard holds nothing, even when another task holds the
      // lock.
      const early = await lock.acquire();
      lock.release();
      const other = lock.tryAcquire()!;
      assertThrows(() => early.release(), 'NotOwnerError');
      assert.equal(lock.locked(), true);
      other.release();
      await assertRejects(
        lock.runExclusive(() => lock.release()),
        'NotOwnerError',
      );
    });

    it('a task that ends without a release leaves it held', async () => {
      const lock = open();
      let kept: Guard | undefined;
      await (async () => {
        kept = await lock.acquire();
      })();
      await twoSlices();
      assertOutside(lock);
      const { locked, owner, abandoned } = lock.inspect();
      assert.deepEqual([locked, owner?.pid, abandoned], [true, process.pid, false]);
      kept!.release();
      assert.equal(lock.locked(), false);
    });

    it('a task may acquire again and again: earlier holds leave nothing behind', async () => {
      const [lock, other] = [open(), open()];
      for (let round = 0; round < 20_000; round++) {
        using guard = await lock.acquire();
        if (round % 2) await other.runExclusive(() => {});
        assert.equal(guard.abandoned, false);
      }
      assert.deepEqual([lock.locked(), lock.depth(), other.locked()], [false, 0, false]);
    });

    it('runExclusive() releases and rejects when the function throws', async () => {
      const lock = open();
      const reason = new Error('inside');
      const bodies = [
        () => {
          throw reason;
        },
        async () => {
          await turn();
          throw reason;
        },
      ];
      for (const body of bodies) {
        await assert.rejects(lock.runExclusive(body), (error) => error === reason);
        assert.equal(lock.locked(), false);
      }
      await assert.rejects(lock.runExclusive('no function' as never), TypeError);
      await assert.rejects(lock.acquire({ timeout: 'no' as never }), TypeError);
      await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason);
    });

    it('all objects of the thread are one lock; close() of one that holds is a HeldError', async () => {
      const name = freshName();
      const [one, two] = [open(name), open(name)];
      const guard = await one.acquire();
      await two.acquire();
      assert.deepEqual([one.depth(), two.depth()], [2, 2]);
      two.release();
      assertThrows(() => one.close(), 'HeldError');
      const wait = outside(() => two.acquire());
      const three = open(name);
      assert.equal(three.depth(), 1);
      three.close();
      three.close();
      await assertRejects(three.acquire(), 'ClosedError');
      await assertRejects(
        three.runExclusive(() => {}),
        'ClosedError',
      );
      assertThrows(() => three.depth(), 'ClosedError');
      guard.release();
      (await wait).release();
      const pending = one.tryAcquire()!;
      const rejected = assertRejects(two.acquire(), 'ClosedError');
      two.close();
      await rejected;
      pending.release();
      one.close();
    });
  });
});
