// RLock's default scope: holds of a thread and holds of its tasks together. truth-table.test.ts
// tests what a single call does.
import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Condition, type Guard, RLock, type RLockOptions } from 'holdfast';
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
} from '../../support/index.js';
import { outside } from './tasks.js';

function open(name?: string): RLock {
  return track(new RLock({ name }));
}

/** Fails if two tasks are inside at once. */
class Room {
  #inside = 0;
  visits = 0;
  async visit(stay: () => Promise<unknown> = turn): Promise<void> {
    assert.equal(++this.#inside, 1, 'alone');
    await stay();
    assert.equal(this.#inside--, 1, 'alone to the end');
    this.visits++;
  }
}

describe('RLock by default', () => {
  it('runExclusive(): three tasks of one process never overlap', async () => {
    const lock = open();
    const room = new Room();
    const visit = () => lock.runExclusive(() => room.visit());
    await Promise.all([visit(), visit(), visit()]);
    assert.equal(room.visits, 3);
  });

  it('await acquire(): three tasks of one process never overlap', async () => {
    const lock = open();
    const room = new Room();
    const visit = async () => {
      using _ = await lock.acquire();
      await room.visit();
    };
    await Promise.all([visit(), visit(), visit()]);
    assert.equal(room.visits, 3);
  });

  it('a task goes deeper through functions, branches, timers and callbacks', async () => {
    const lock = open();
    const room = new Room();
    const nested = (): Promise<number> => lock.runExclusive(() => lock.depth());
    const task = () =>
      lock.runExclusive(() =>
        room.visit(async () => {
          assert.equal(await nested(), 2);
          assert.ok((await Promise.all([nested(), nested()])).every((depth) => depth > 1));
          await sleep(1);
          assert.equal(await nested(), 2);
          assert.equal(await new Promise((resolve) => setTimeout(() => resolve(nested()), 1)), 2);
          using guard = lock.acquireSync();
          assert.equal(await nested(), 3);
          assert.equal(guard.abandoned, false);
        }),
      );
    await Promise.all([task(), task(), task()]);
    assert.deepEqual([room.visits, lock.locked()], [3, false]);
  });

  it('tasks wait for a thread’s hold that is kept across an await, and get the lock in order', async () => {
    const lock = open();
    const room = new Room();
    const order: string[] = [];
    const outer = lock.acquireSync();
    const tasks = ['first', 'second'].map((name) =>
      lock.runExclusive(() => room.visit(async () => void order.push(name))),
    );
    await room.visit(async () => {
      await turn();
      // Plain calls enter the thread's hold again, from any task.
      const inner = outside(() => lock.acquireSync());
      assert.deepEqual([lock.depth(), outside(() => lock.depth())], [2, 2]);
      inner.release();
      await turn();
      order.push('thread');
    });
    outside(() => lock.release());
    await Promise.all(tasks);
    assert.deepEqual(order, ['thread', 'first', 'second']);
    assertThrows(() => outer.release(), 'NotOwnerError');
    assert.deepEqual([lock.depth(), lock.locked()], [0, false]);
  });

  it('a task’s wait behind the thread’s hold ends by timeout, abort and close()', async () => {
    const name = freshName();
    const [lock, other] = [open(name), open(name)];
    using _ = lock.acquireSync();
    await assertRejects(lock.acquire({ timeout: 5 }), 'TimeoutError');
    await assertRejects(lock.acquire({ timeout: 0 }), 'TimeoutError');
    const enter = () => assert.fail('entered');
    await assertRejects(lock.runExclusive(enter, { timeout: 5 }), 'TimeoutError');
    const controller = new AbortController();
    const aborted = assert.rejects(lock.acquire({ signal: controller.signal }), {
      name: 'AbortError',
    });
    const closed = assertRejects(other.acquire(), 'ClosedError');
    controller.abort();
    other.close();
    await Promise.all([aborted, closed]);
    assert.deepEqual([lock.depth(), lock.inspect().waiters], [1, 0]);
  });

  it('a plain call in a task goes deeper in the task’s hold, which ends with its last guard', async () => {
    const lock = open();
    let kept!: Guard;
    await lock.runExclusive(() => {
      kept = lock.acquireSync();
      lock.tryAcquire()!.release();
      assert.equal(lock.depth(), 2);
    });
    // The task still holds it, and not its thread.
    assert.deepEqual([lock.locked(), lock.depth()], [true, 0]);
    assert.equal(lock.tryAcquire(), null);
    assertThrows(() => lock.acquireSync(), 'DeadlockError');
    assertThrows(() => lock.release(), 'NotOwnerError');
    const waits = lock.runExclusive(() => lock.depth());
    await turn();
    assert.equal(lock.locked(), true);
    kept.release();
    assert.equal(await waits, 1);
    assert.equal(lock.locked(), false);
  });

  it('a guard of the thread’s hold may be released by any task, a task’s by the thread', async () => {
    const lock = open();
    const [first, second] = [lock.acquireSync(), lock.acquireSync()];
    await track(new RLock()).runExclusive(() => first.release());
    assert.equal(lock.depth(), 1);
    await outside(async () => second.release());
    assert.equal(lock.locked(), false);
    let kept!: Guard;
    await lock.acquire().then((guard) => void (kept = guard));
    outside(() => kept.release());
    assert.equal(lock.locked(), false);
  });

  it('a guard whose hold is over ends no other hold, of the thread or of a task', async () => {
    const lock = open();
    const byThread = lock.acquireSync();
    lock.release();
    await lock.runExclusive(() => {
      assertThrows(() => byThread.release(), 'NotOwnerError');
      assert.equal(lock.depth(), 1);
    });
    let byTask!: Guard;
    await lock.acquire().then((guard) => {
      byTask = guard;
      lock.release();
    });
    using _ = lock.acquireSync();
    assertThrows(() => byTask.release(), 'NotOwnerError');
    assert.equal(lock.depth(), 1);
  });

  it('close() of an object through which the thread or a task holds it is a HeldError', async () => {
    const name = freshName();
    const [one, two] = [open(name), open(name)];
    const guard = one.acquireSync();
    assertThrows(() => one.close(), 'HeldError');
    guard.release();
    await one.runExclusive(() => assertThrows(() => one.close(), 'HeldError'));
    one.close();
    assert.equal(await two.runExclusive(() => two.depth()), 1);
  });

  for (const place of ['worker', 'process'] as const) {
    const there = (name: string): RLockOptions => ({ name, scope: 'mixed' });

    it(`a ${place} waits for the thread’s hold and for a task’s hold, and gets the lock at depth 1`, async () => {
      const lock = open(freshName());
      const other = await (await sharedActor(place)).open('RLock', there(lock.name));
      for (const form of ['acquire', 'acquireSync'] as const) {
        const guard = lock.acquireSync();
        const nested = lock.acquireSync();
        const first = other[form]();
        await until(() => lock.inspect().waiters === 1, 'it waits for the thread');
        guard.release();
        assert.equal(lock.depth(), 1);
        nested.release();
        await (await first).release();
        let second!: ReturnType<typeof other.acquire>;
        await lock.runExclusive(async () => {
          using _ = lock.acquireSync();
          second = other[form]();
          await until(() => lock.inspect().waiters === 1, 'it waits for the task');
        });
        await (await second).release();
      }
      assert.ok(await isFree(other));
    });

    it(`its own tasks and a ${place} exclude each other`, async () => {
      const lock = open(freshName());
      const other = await (await sharedActor(place)).open('RLock', there(lock.name));
      const hold = await other.acquire();
      const room = new Room();
      const tasks = [1, 2].map(() => lock.runExclusive(() => room.visit()));
      await waiting(other, 2);
      assert.equal(room.visits, 0);
      await hold.release();
      await Promise.all(tasks);
      assert.equal(room.visits, 2);
    });

    it(`the end of a ${place} hands the lock to the first of the tasks, which is told`, async () => {
      const lock = open(freshName());
      const doomed = await newActor(place);
      const other = await doomed.open('RLock', there(lock.name));
      await other.acquireSync();
      const told: boolean[] = [];
      const room = new Room();
      const tasks = [0, 1, 2].map(() =>
        lock.runExclusive(async ({ abandoned }) => {
          told.push(abandoned);
          await room.visit();
        }),
      );
      await until(() => lock.inspect().waiters === 3, 'all wait');
      await doomed.kill();
      await Promise.all(tasks);
      assert.deepEqual([told, room.visits], [[true, false, false], 3]);
    });

    it(`a ${place} dies while its task holds and its thread waits: the next holder is told`, async () => {
      const lock = open(freshName());
      const doomed = await newActor(place);
      const other = await doomed.open('RLock', there(lock.name));
      await other.acquire();
      const waits = other.acquire();
      await until(() => lock.inspect().waiters === 1, 'a second task waits there');
      await doomed.kill();
      await assert.rejects(waits);
      const guard = lock.acquireSync();
      assert.deepEqual([guard.abandoned, lock.depth()], [true, 1]);
      guard.release();
    });
  }

  describe('under a Condition', () => {
    let lock: RLock;
    let condition: Condition;
    beforeEach(() => {
      lock = open();
      condition = new Condition(lock);
    });
    afterEach(() => condition.close());

    it('wait() gives up a thread’s hold, and the thread holds it again as deep as before', async () => {
      const guard = lock.acquireSync();
      lock.acquireSync();
      const wait = condition.wait();
      await until(() => !lock.locked(), 'it is given up');
      await lock.runExclusive(() => assert.equal(condition.notify(), 1));
      await wait;
      assert.deepEqual([lock.depth(), outside(() => lock.depth())], [2, 2]);
      await assertRejects(lock.acquire({ timeout: 5 }), 'TimeoutError');
      lock.release();
      guard.release();
      assert.equal(lock.locked(), false);
    });

    it('wait() gives up a task’s hold, and the task holds it again when the thread has notified it', async () => {
      let woken = false;
      const task = lock.runExclusive(async () => {
        using _ = lock.acquireSync();
        await condition.wait();
        woken = true;
        assert.equal(lock.depth(), 2);
        assert.equal(
          outside(() => lock.depth()),
          0,
        );
      });
      await until(() => !lock.locked(), 'it is given up');
      const guard = lock.acquireSync();
      assert.equal(condition.notify(), 1);
      await turn();
      assert.equal(woken, false, 'not before the thread has released');
      guard.release();
      await task;
      assert.equal(lock.locked(), false);
    });

    it('wait(), waitSync() and notify() need the caller’s own hold', async () => {
      const refused = async () => {
        await assertRejects(condition.wait(), 'NotOwnerError');
        assertThrows(() => condition.waitSync(), 'NotOwnerError');
        assertThrows(() => condition.notify(), 'NotOwnerError');
      };
      await refused();
      await lock.runExclusive(async () => {
        await outside(refused);
        assert.equal(condition.notify(), 0);
        assertThrows(() => condition.waitSync({ timeout: 5 }), 'TimeoutError');
        assert.equal(lock.depth(), 1);
      });
      using _ = lock.acquireSync();
      assert.equal(
        outside(() => condition.notify()),
        0,
      );
      assertThrows(() => condition.waitSync({ timeout: 5 }), 'TimeoutError');
      assert.equal(lock.depth(), 1);
    });

    it('waitSync() gives up the hold of either holder, and gets it back', async () => {
      const remote = await (await sharedActor('process')).open('RLock', { name: lock.name });
      const check = () => {
        using _ = lock.acquireSync();
        assertThrows(() => condition.waitSync({ timeout: 5 }), 'TimeoutError');
        assert.equal(lock.depth(), 2);
      };
      await lock.runExclusive(check);
      assert.ok(await isFree(remote));
      lock.acquireSync();
      check();
      assert.equal(await remote.tryAcquire(), null);
      lock.release();
      assert.ok(await isFree(remote));
    });
  });
});
