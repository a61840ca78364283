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

    it('leaves those alone who wait through another handle of the same thread', async () => {
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
    it(`HeldError for the last handle of the ${kind}’s holder, which stays as it was`, async () => {
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

    it(`of two handles to a held ${kind}, the one that it was acquired through stays`, () => {
      const name = freshName(kind);
      const [one, two] = [open[kind](name), open[kind](name)];
      const guard = one.acquireSync();
      // Otherwise its guard could not release the lock any more.
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

  it('twice does nothing more, and [Symbol.dispose]() is the same', () => {
    for (const object of [new Lock(), new RLock(), new Semaphore()]) {
      object.close();
      object.close();
      object[Symbol.dispose]();
    }
  });

  // Regressions. The lock is released while the waiter’s thread is busy. So the wake-up is in its
  // doorbell, unread, and the lock is free when close() withdraws the waiters of the object one by
  // one.
  describe('when the lock has just been released', () => {
    /**
     * Waits through the objects in this order; has the lock released, and the first object closed.
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
      const handles = await line(waiter);
      const waits = handles.map((handle) => handle.acquire());
      for (const wait of waits) await wait.started;
      const closed = waiter.act('closeOnceFree', { object: handles[0]!, go: ours });
      closed.catch(() => {});
      return { holder, waits, closed };
    }
    type Line = Promise<RemoteObject[]>;

    for (const kind of allKinds) {
      // When the first waiter has been told that its object is closed, the second is at the head,
      // and the lock is free. It must not get the lock, because its object is closing too: its
      // guard could not release it any more.
      it(`none of several waiters gets the ${kind}`, async () => {
        const name = freshName(kind);
        const { holder, waits, closed } = await closeUnread(kind, name, async (waiter) => {
          const handle = await waiter.open(kind, { name });
          return [handle, handle, handle];
        });
        const results = await within(Promise.allSettled(waits), 'telling all of them', 2000);
        for (const result of results) {
          assert.equal(result.status, 'rejected', `a waiter of a closed handle got the ${kind}`);
          assertError(result.reason, 'ClosedError');
        }
        await closed;
        assert.ok(await isFree(holder));
      });

      // The second in line waits through another object and does get the lock. The third, behind
      // it, waits through the closed object and must be told so all the same.
      it(`a waiter of the ${kind} behind one that gets it is told too`, async () => {
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

  it('a sync waiter in another thread does not notice a handle that is closed here', async () => {
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
