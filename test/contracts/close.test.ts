// close() ends the waits through this object and no others. A closed object never gets the lock.
import assert from 'node:assert/strict';
import { Lock, RLock, Semaphore } from 'holdfast';
import {
  type Kind,
  type Actor,
  type RemoteObject,
  acquire,
  allKinds,
  assertError,
  assertRejects,
  assertThrows,
  forEachCase,
  freshName,
  isFree,
  newActor,
  ownedKinds,
  track,
  twoSlices,
  until,
  waiting,
  within,
} from '../support/index.js';

describe('close', () => {
  forEachCase(allKinds, (subject) => {
    it('rejects its waiters with ClosedError, and the lock stays the holder’s', async () => {
      const { a, b, name } = await subject.open();
      const held = await a.acquire();
      const waits = [b.acquire(), b.acquire({ signal: 'live' }), b.acquire({ timeout: 60_000 })];
      await waiting(a, 3);
      await b.close();
      for (const wait of waits) {
        await assertRejects(wait, 'ClosedError', { kind: subject.kind, objectName: name });
      }
      const { waiters, acquisitions } = await a.inspect();
      assert.deepEqual({ waiters, acquisitions }, { waiters: 0, acquisitions: 1 });
      await held.release();
      await twoSlices();
      assert.ok(await isFree(a));
      assert.equal((await a.inspect()).acquisitions, 1);
    });

    it('does not end waits through another object of the same thread', async () => {
      const { a, b, second, name } = await subject.open();
      const held = await a.acquire();
      const other = await second.open(subject.kind, { name });
      const order: string[] = [];
      const goes = b.acquire();
      const stays = [other.acquire(), other.acquire()];
      for (const wait of [goes, ...stays]) await wait.started;
      await b.close();
      await assertRejects(goes, 'ClosedError');
      await held.release();
      for (const wait of stays) {
        await (await wait).release();
        order.push('served');
      }
      assert.equal(order.length, 2);
      assert.ok(await isFree(a));
    });
  });

  const open = {
    Lock: (name: string) => track(new Lock({ name })),
    RLock: (name: string) => track(new RLock({ name })),
  };

  for (const kind of ownedKinds) {
    it(`HeldError for the last object of the ${kind}’s holder, which stays open`, async () => {
      const name = freshName(kind);
      const lock = open[kind](name);
      const other = await (await newActor('worker')).open(kind, { name });
      const guard = lock.acquireSync();
      assertThrows(() => lock.close(), 'HeldError', { kind, objectName: name });
      assert.equal(lock.locked(), true);
      assert.equal(await other.tryAcquire(), null);
      guard.release();
      lock.close();
      assert.ok(await isFree(other));
    });

    it(`of two objects for a held ${kind}, the one that acquired it cannot be closed`, () => {
      const name = freshName(kind);
      const [one, two] = [open[kind](name), open[kind](name)];
      const guard = one.acquireSync();
      // If the other object stayed, the guard could not release the lock.
      assertThrows(() => one.close(), 'HeldError', { kind, objectName: name });
      two.close();
      assert.equal(one.locked(), true);
      assertThrows(() => one.close(), 'HeldError');
      guard.release();
      one.close();
    });

    it(`a ${kind} that was abandoned by others can be closed`, async () => {
      const name = freshName(kind);
      const lock = open[kind](name);
      const process = await newActor('process');
      await (await process.open(kind, { name })).acquire();
      await process.kill();
      lock.close();
      assert.equal(open[kind](name).acquireSync().abandoned, true);
    });
  }

  it('a second call does nothing, and [Symbol.dispose]() is the same', () => {
    for (const object of [new Lock(), new RLock(), new Semaphore()]) {
      object.close();
      object.close();
      object[Symbol.dispose]();
    }
  });

  // Regression tests. The lock is released while the thread of the waiter is busy. So the wake-up
  // is in its doorbell, not read yet, and the lock is free when close() withdraws the waiters of
  // the object one by one.
  describe('when the lock has just been released', () => {
    /**
     * Waits through the objects in this order. Then the lock is released and the first object
     * closed, in one turn.
     */
    async function closeUnread(kind: Kind, name: string, line: (waiter: Actor) => Line) {
      const [waiter, elsewhere] = await Promise.all([newActor('worker'), newActor('worker')]);
      const holder = await elsewhere.open(kind, { name });
      await holder.acquire();
      const go = freshName('go');
      const [theirs, ours] = [
        await elsewhere.open('Semaphore', { name: go }, 0),
        await waiter.open('Semaphore', { name: go }),
      ];
      const releasing = { object: holder, when: theirs };
      await elsewhere.startAct('releaseWhen', releasing).started;
      const objects = await line(waiter);
      const waits = objects.map((object) => object.acquire());
      for (const wait of waits) await wait.started;
      const closed = waiter.act('closeOnceFree', { object: objects[0]!, go: ours });
      closed.catch(() => {});
      return { holder, waits, closed };
    }
    type Line = Promise<RemoteObject[]>;

    for (const kind of allKinds) {
      // When the first waiter has been told that its object is closed, the second is at the head of
      // the queue, and the lock is free. The second must not get the lock, because its object is
      // being closed, too: its guard could not release it.
      it(`none of several waiters gets the ${kind}`, async () => {
        const name = freshName(kind);
        const { holder, waits, closed } = await closeUnread(kind, name, async (waiter) => {
          const object = await waiter.open(kind, { name });
          return [object, object, object];
        });
        const results = await within(Promise.allSettled(waits), 'telling all of them', 2000);
        for (const result of results) {
          assert.equal(result.status, 'rejected', `a waiter of a closed object got the ${kind}`);
          assertError(result.reason, 'ClosedError');
        }
        await closed;
        assert.ok(await isFree(holder));
      });

      // The second waiter waits through another object and gets the lock. The third one waits
      // behind it, through the closed object, and must be told that.
      it(`a waiter behind one that gets the ${kind} is told, too`, async () => {
        const name = freshName(kind);
        const { holder, waits, closed } = await closeUnread(kind, name, async (waiter) => {
          const [goes, stays] = [
            await waiter.open(kind, { name }),
            await waiter.open(kind, { name }),
          ];
          return [goes, stays, goes];
        });
        await closed;
        const [first, second, third] = waits;
        await assertRejects(first!, 'ClosedError');
        const hold = await second!;
        await assertRejects(within(third!, 'telling the third', 1000), 'ClosedError');
        await hold.release();
        assert.ok(await isFree(holder));
      });
    }
  });

  it('close() here does not end a blocking wait in another thread', async () => {
    for (const kind of ownedKinds) {
      const name = freshName(kind);
      const [one, two] = [open[kind](name), open[kind](name)];
      const worker = await (await newActor('worker')).open(kind, { name });
      one.acquireSync();
      const wait = acquire(worker, 'sync');
      await until(() => one.inspect().waiters === 1, 'the worker waits');
      two.close();
      one.release();
      await (await wait).release();
      one.close();
    }
  });
});
