// BoundedSemaphore: permits with owners. INV-1 holds for each of them: at most one live holder.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard } from 'holdfast';
import { ContenderReports } from '../../support/contenders.js';
import {
  across,
  assertAborts,
  remotePlaces,
  assertTimesOut,
  type RemoteObject,
  acquire,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  newProcess,
  newWorker,
  sharedActor,
  twoSlices,
  until,
} from '../../support/index.js';
import { kind, open, opened, takeAll, assertWhole } from './helpers.js';

describe('BoundedSemaphore', () => {
  describe('cells', () => {
    for (const place of remotePlaces) {
      it(across[place], async () => {
        const name = freshName(kind);
        const semaphore = open(2, name);
        const [one, two] = await Promise.all([newActor(place), newActor(place)]);
        const [a, b] = [await opened(one, name), await opened(two, name)];
        const first = await a.acquire();
        assert.equal(semaphore.value(), 1);
        const second = await acquire(b, 'sync');
        assert.deepEqual([semaphore.value(), await a.value(), await b.value()], [0, 0, 0]);
        assert.equal(semaphore.tryAcquire(), null);
        assert.equal(await a.tryAcquire(), null);
        const { holders } = semaphore.inspect();
        assert.deepEqual(
          holders.map(({ pid, threadId }) => `${pid} ${threadId}`).toSorted(),
          [one, two].map(({ pid, threadId }) => `${pid} ${threadId}`).toSorted(),
        );
        const wait = a.acquire();
        await wait.started;
        await second.release();
        const third = await wait;
        assert.equal(third.abandoned, false);
        for (const hold of [first, third]) await hold.release();
        assertWhole(semaphore, 2);
      });
    }

    for (const form of forms) {
      it(form, async () => {
        const name = freshName(kind);
        const semaphore = open(2, name);
        const other = await opened(await sharedActor('process'), name);
        const guards = [semaphore.acquireSync(), await semaphore.acquire()];
        const wait = acquire(other, form);
        await until(() => semaphore.inspect().waiters === 1, 'it waits');
        assert.equal(semaphore.inspect().contentions, 1);
        guards[0]!.release();
        const hold = await wait;
        assert.equal(semaphore.value(), 0);
        await hold.release();
        guards[1]!.release();
        assertWhole(semaphore, 2);
      });
    }

    it('timeout', async () => {
      const name = freshName(kind);
      const semaphore = open(2, name);
      const other = await opened(await sharedActor('process'), name);
      const holds = [await other.acquire(), await other.acquire()];
      for (const timeout of [0, 1, 20.5, 70]) {
        const about = { kind, objectName: name };
        await assertTimesOut((options) => semaphore.acquireSync(options), timeout, about);
        await assertTimesOut((options) => semaphore.acquire(options), timeout, about);
      }
      // Waits that timed out hold no permit, and are not woken for one.
      for (const hold of holds) await hold.release();
      await twoSlices();
      assertWhole(semaphore, 2);
    });

    it('abort', async () => {
      const name = freshName(kind);
      const semaphore = open(1, name);
      const other = await opened(await sharedActor('process'), name, 1);
      const hold = await other.acquire();
      let stays: Promise<Guard> | undefined;
      await assertAborts(
        (options) => semaphore.acquire(options),
        () => (stays = semaphore.acquire()),
      );
      await hold.release();
      (await stays)!.release();
      assertWhole(semaphore, 1);
    });

    for (const place of remotePlaces) {
      // In this cell a process is killed and a worker is terminated.
      it(`killed while holding${place === 'worker' ? ' (a worker)' : ''}`, async () => {
        const name = freshName(kind);
        const semaphore = open(5, name);
        const victim = await newActor(place);
        const theirs = await opened(victim, name, 5);
        for (let i = 0; i < 3; i++) await acquire(theirs, forms[i % 2]!);
        const ours = [semaphore.acquireSync(), semaphore.acquireSync()];
        const [there, blocked] = await Promise.all([newProcess(), newProcess()]);
        const waits = [
          semaphore.acquire(),
          (await opened(there, name, 5)).acquire(),
          (await opened(blocked, name, 5)).acquireSync(),
        ];
        await until(() => semaphore.inspect().waiters === 3, 'three wait');
        await victim.kill();
        const holds = await Promise.all(waits);
        assert.deepEqual(
          holds.map(({ abandoned }) => abandoned),
          [true, true, true],
        );
        assert.equal(semaphore.value(), 0);
        assert.equal(semaphore.inspect().abandonments, 3);
        for (const hold of holds) await hold.release();
        for (const guard of ours) guard.release();
        assertWhole(semaphore, 5);
      });
    }

    it('killed while waiting', async () => {
      const name = freshName(kind);
      const semaphore = open(1, name);
      const guard = semaphore.acquireSync();
      const victims = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
      const remotes: RemoteObject[] = [];
      for (const victim of victims) remotes.push(await opened(victim, name, 1));
      remotes.forEach((remote, i) => void acquire(remote, forms[i % 2]!));
      await until(() => semaphore.inspect().waiters === 4, 'four wait');
      const survivor = await opened(await sharedActor('process'), name, 1);
      const wait = survivor.acquire();
      await wait.started;
      await Promise.all(victims.map((victim) => victim.kill()));
      assert.equal(semaphore.inspect().waiters, 1);
      guard.release();
      const hold = await wait;
      assert.equal(hold.abandoned, false);
      await hold.release();
      assertWhole(semaphore, 1);
    });

    // The holder is killed at any point of release(), for example between giving the permit back
    // and waking a waiter. The waiter goes on, and there are as many permits as before.
    it('killed while notifying', async () => {
      const name = freshName(kind);
      const semaphore = open(1, name);
      using reports = new ContenderReports(kind, name, 1, 8);
      const work = async () => {
        for (let round = 0; round < 20; round++) (await semaphore.acquire()).release();
      };
      await reports.killWhileReleasing(work, () => {
        semaphore.acquireSync({ timeout: 10_000 }).release();
        assertWhole(semaphore, 1);
      });
    });
  });

  it('gives its permits, and they come back', async () => {
    const semaphore = open(2);
    assert.equal(semaphore.value(), 2);
    const first = semaphore.tryAcquire()!;
    const second = await semaphore.acquire();
    assert.deepEqual([semaphore.value(), semaphore.tryAcquire()], [0, null]);
    first.release();
    assert.equal(semaphore.value(), 1);
    first.release();
    assert.equal(semaphore.value(), 1, 'a guard releases once');
    {
      using third = semaphore.acquireSync();
      assert.deepEqual([semaphore.value(), third.abandoned], [0, false]);
    }
    second.release();
    assertWhole(semaphore, 2);
  });

  it('withPermit() holds one while its function runs', async () => {
    const semaphore = open(2);
    let inside = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
      return 7;
    };
    const results = await Promise.all(Array.from({ length: 10 }, () => semaphore.withPermit(task)));
    assert.deepEqual([most, ...new Set(results)], [2, 7]);
    await assert.rejects(
      semaphore.withPermit(() => {
        throw new Error('mine');
      }),
      { message: 'mine' },
    );
    await assert.rejects(semaphore.withPermit('no function' as never), TypeError);
    assertWhole(semaphore, 2);
  });

  it('a release too many is an error, and adds nothing', async () => {
    const name = freshName(kind);
    const semaphore = open(2, name);
    const about = { kind, objectName: name };
    assertThrows(() => semaphore.release(), 'OverReleaseError', about);
    const guard = semaphore.acquireSync();
    semaphore.release();
    assertThrows(() => semaphore.release(), 'OverReleaseError', about);
    assertThrows(() => guard.release(), 'NotLockedError', about);
    guard.release();
    const there = await opened(await sharedActor('process'), name);
    await assertRejects(there.release(), 'OverReleaseError', about);
    assertWhole(semaphore, 2);
  });

  it('release() ends a hold of its own thread first, or else another’s, whose guard says so', async () => {
    const name = freshName(kind);
    const semaphore = open(2, name);
    const there = await opened(await sharedActor('process'), name);
    const [mine, theirs] = [semaphore.acquireSync(), await there.acquire()];
    semaphore.release();
    assertThrows(() => mine.release(), 'NotLockedError');
    semaphore.release();
    await assertRejects(theirs.release(), 'NotLockedError', { kind, objectName: name });
    // A guard never ends a later hold of the same permit.
    const later = [semaphore.acquireSync(), await there.acquire()];
    mine.release();
    assert.equal(semaphore.value(), 0);
    for (const hold of later) await hold.release();
    assertWhole(semaphore, 2);
  });

  it('a thread that has every permit gets DeadlockError from the form that blocks', async () => {
    const name = freshName(kind);
    const semaphore = open(2, name);
    const there = await opened(await sharedActor('process'), name);
    const guards = [semaphore.acquireSync(), semaphore.acquireSync()];
    assertThrows(() => semaphore.acquireSync(), 'DeadlockError', { kind, objectName: name });
    assertThrows(() => semaphore.acquireSync({ timeout: 5 }), 'TimeoutError');
    guards[0]!.release();
    const theirs = await there.acquire();
    // Now another thread holds a permit and can end the wait.
    assertThrows(() => semaphore.acquireSync({ timeout: 5 }), 'TimeoutError');
    await theirs.release();
    guards[1]!.release();
    assertWhole(semaphore, 2);
  });

  it('pending acquisitions of a thread are served in order; tryAcquire() does not queue', async () => {
    const name = freshName(kind);
    const semaphore = open(2, name);
    const again = open(undefined, name);
    const there = await opened(await sharedActor('process'), name);
    const held = [await there.acquire(), await there.acquire()];
    const order: number[] = [];
    const waits = Array.from({ length: 12 }, async (_, i) => {
      const guard = await (i % 2 ? again : semaphore).acquire();
      order.push(i);
      guard.release();
    });
    assert.equal(semaphore.inspect().waiters, 12);
    for (const hold of held) await hold.release();
    await Promise.all(waits);
    assert.deepEqual(order, [...order.keys()]);
    assertWhole(semaphore, 2);
  });

  it('n releases in one turn serve n waiters, each a process or worker', async () => {
    const name = freshName(kind);
    const semaphore = open(4, name);
    const guards = takeAll(semaphore).guards;
    const actors = await Promise.all([newProcess(), newProcess(), newWorker(), newWorker()]);
    const remotes = await Promise.all(actors.map((actor) => opened(actor, name, 4)));
    const waits = remotes.map((remote, i) => acquire(remote, forms[i % 2]!));
    await until(() => semaphore.inspect().waiters === 4, 'all wait');
    for (const guard of guards) guard.release();
    const holds = await Promise.all(waits);
    assert.equal(semaphore.value(), 0);
    for (const hold of holds) await hold.release();
    assertWhole(semaphore, 4);
  });
});
