// ReadWriteLock: many readers or one writer, wherever they are (INV-15).
import assert from 'node:assert/strict';
import { ContenderReports } from '../../support/contenders.js';
import {
  remotePlaces,
  across,
  assertTimesOut,
  assertAborts,
  assertThrows,
  forms,
  freshName,
  newActor,
  newProcess,
  newWorker,
  sharedActor,
  twoSlices,
} from '../../support/index.js';
import { kind, open, modes, type Mode, method, waiting, claimed, assertFree } from './helpers.js';

describe('ReadWriteLock', () => {
  describe('cells', () => {
    for (const place of remotePlaces) {
      it(across[place], async () => {
        const name = freshName(kind);
        const lock = open(name);
        const actors = await Promise.all([newActor(place), newActor(place)]);
        const [a, b] = await Promise.all(actors.map((actor) => actor.open(kind, { name })));
        const reading = [await a!.begin('acquireShared'), await b!.begin('acquireSharedSync')];
        assert.deepEqual(
          lock
            .inspect()
            .readers.map(({ pid, threadId }) => `${pid} ${threadId}`)
            .toSorted(),
          actors.map(({ pid, threadId }) => `${pid} ${threadId}`).toSorted(),
        );
        assert.equal(lock.tryAcquireExclusive(), null);
        lock.tryAcquireShared()!.release();
        for (const hold of reading) await hold.release();

        const writing = await a!.begin('acquireExclusive');
        const { writer } = lock.inspect();
        assert.deepEqual([writer?.pid, writer?.threadId], [actors[0]!.pid, actors[0]!.threadId]);
        assert.equal(await b!.tryAcquire('tryAcquireShared'), null);
        assert.equal(await b!.tryAcquire('tryAcquireExclusive'), null);
        assert.equal(lock.tryAcquireShared(), null);
        await writing.release();
        assertFree(lock);
      });
    }

    for (const form of forms) {
      it(form, async () => {
        const name = freshName(kind);
        const lock = open(name);
        const there = await (await sharedActor('process')).open(kind, { name });
        // Each mode waits for the modes that exclude it, and is woken when they end.
        const pairs: [Mode, Mode][] = [
          ['Shared', 'Exclusive'],
          ['Exclusive', 'Shared'],
          ['Exclusive', 'Exclusive'],
        ];
        for (const [held, wanted] of pairs) {
          const guard = lock[`tryAcquire${held}`]()!;
          const wait = there.begin(method(wanted, form));
          await waiting(lock, wanted === 'Shared' ? 1 : 0, wanted === 'Shared' ? 0 : 1);
          guard.release();
          const hold = await wait;
          assert.equal(hold.abandoned, false);
          assert.equal(lock.tryAcquireExclusive(), null);
          await hold.release();
        }
        assert.equal(lock.inspect().contentions, 3);
        assertFree(lock);
      });
    }

    it('timeout', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const there = await (await sharedActor('process')).open(kind, { name });
      const about = { kind, objectName: name };
      for (const [held, wanted] of [
        ['Exclusive', 'Shared'],
        ['Exclusive', 'Exclusive'],
        ['Shared', 'Exclusive'],
      ] as const) {
        const hold = await there.begin(method(held, 'async'));
        for (const timeout of [0, 1, 60.5]) {
          await assertTimesOut((options) => lock[`acquire${wanted}Sync`](options), timeout, about);
          await assertTimesOut((options) => lock[`acquire${wanted}`](options), timeout, about);
        }
        // A writer that no longer waits keeps no reader out.
        if (held === 'Shared') lock.tryAcquireShared()!.release();
        await hold.release();
        await twoSlices();
        assertFree(lock);
      }
    });

    it('abort', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const there = await (await sharedActor('process')).open(kind, { name });
      for (const wanted of modes) {
        const hold = await there.begin('acquireExclusive');
        await assertAborts((options) => lock[`acquire${wanted}`](options));
        await hold.release();
        assertFree(lock);
      }
    });

    for (const place of remotePlaces) {
      // In this cell a process is killed and a worker is terminated.
      it(`killed while holding${place === 'worker' ? ' (a worker)' : ''}`, async () => {
        const name = freshName(kind);
        const lock = open(name);
        const waiters = await Promise.all(
          [newProcess(), newProcess()].map(async (actor) => (await actor).open(kind, { name })),
        );
        // A dead reader is removed, and no guard is told.
        const reader = await newActor(place);
        const reading = await reader.open(kind, { name });
        await reading.begin('acquireShared');
        await reading.begin('acquireSharedSync');
        const writes = [
          waiters[0]!.begin('acquireExclusive'),
          waiters[1]!.begin('acquireExclusiveSync'),
        ];
        await waiting(lock, 0, 2);
        await reader.kill();
        const first = await Promise.race(writes);
        assert.equal(first.abandoned, false);
        await first.release();
        for (const write of writes) {
          const hold = await write;
          assert.equal(hold.abandoned, false);
          if (hold !== first) await hold.release();
        }
        assertFree(lock);

        // Every guard tells of a dead writer, until one has held the lock exclusively.
        const writer = await newActor(place);
        await (await writer.open(kind, { name })).begin('acquireExclusive');
        const waits = [
          lock.acquireShared(),
          waiters[0]!.begin('acquireShared'),
          waiters[1]!.begin('acquireSharedSync'),
        ];
        await waiting(lock, 3, 0);
        await writer.kill();
        for (const wait of waits) {
          const hold = await wait;
          assert.equal(hold.abandoned, true);
        }
        assert.equal(lock.inspect().abandoned, true);
        for (const wait of waits) await (await wait).release();
        const again = lock.acquireSharedSync();
        assert.equal(again.abandoned, true, 'still nobody has mended it');
        again.release();
        const mends = lock.acquireExclusiveSync();
        assert.equal(mends.abandoned, true);
        mends.release();
        assert.equal(lock.inspect().abandonments, 1);
        assertFree(lock);
      });
    }

    it('killed while waiting', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const there = await (await sharedActor('process')).open(kind, { name });
      for (const held of modes) {
        const guard = lock[`tryAcquire${held}`]()!;
        const victims = await Promise.all([newProcess(), newWorker()]);
        for (const [i, victim] of victims.entries()) {
          void (await victim.open(kind, { name })).begin(method('Exclusive', forms[i]!));
        }
        await waiting(lock, 0, 2);
        await claimed(lock);
        // Readers queue behind a waiting writer for as long as it lives.
        const wait = there.begin('acquireShared');
        await waiting(lock, 1, 2);
        await Promise.all(victims.map((victim) => victim.kill()));
        if (held === 'Exclusive') guard.release();
        const hold = await wait;
        assert.equal(hold.abandoned, false);
        if (held === 'Shared') guard.release();
        await hold.release();
        assertFree(lock);
      }
      // The same with readers that wait.
      const guard = lock.acquireExclusiveSync();
      const victim = await newProcess();
      void (await victim.open(kind, { name })).begin('acquireShared');
      await waiting(lock, 1, 0);
      await victim.kill();
      guard.release();
      const again = lock.acquireExclusiveSync({ timeout: 10_000 });
      again.release();
      assertFree(lock);
    });

    // The holder is killed at any point of a release: between leaving and waking, or while it lets
    // the readers go first.
    it('killed while notifying', async () => {
      const name = freshName(kind);
      const lock = open(name);
      using reports = new ContenderReports(kind, name, 0, 8);
      const work = async (mode: Mode) => {
        for (let round = 0; round < 15; round++) {
          using guard = await lock[`acquire${mode}`]();
          if (mode === 'Exclusive') reports.mend(guard);
        }
      };
      await reports.killWhileReleasing(
        () => Promise.all(modes.map(work)),
        () => {
          const last = lock.acquireExclusiveSync({ timeout: 10_000 });
          reports.mend(last);
          last.release();
          assertFree(lock);
        },
      );
    });
  });

  it('readers share, a writer is alone', async () => {
    const lock = open();
    const readers = [
      lock.acquireSharedSync(),
      await lock.acquireShared(),
      lock.tryAcquireShared()!,
    ];
    assert.equal(lock.inspect().readers.length, 3);
    assert.equal(lock.tryAcquireExclusive(), null);
    for (const guard of readers) guard.release();
    {
      using writer = lock.acquireExclusiveSync();
      assert.equal(writer.abandoned, false);
      assert.deepEqual([lock.tryAcquireShared(), lock.tryAcquireExclusive()], [null, null]);
    }
    readers[0]!.release();
    assertFree(lock);
    assert.equal(await lock.runShared(() => lock.runShared(async () => 7)), 7);
    const inside = lock.runExclusive(async () => lock.tryAcquireShared());
    assert.equal(await inside, null);
    await assert.rejects(
      lock.runExclusive(() => {
        throw new Error('mine');
      }),
      { message: 'mine' },
    );
    for (const mode of modes) await assert.rejects(lock[`run${mode}`](7 as never), TypeError);
    assertFree(lock);
  });

  it('pending acquisitions of a thread: readers in order, writers in order', async () => {
    const name = freshName(kind);
    const [lock, again] = [open(name), open(name)];
    const there = await (await sharedActor('process')).open(kind, { name });
    const hold = await there.begin('acquireExclusive');
    const order: Record<Mode, number[]> = { Shared: [], Exclusive: [] };
    const waits = Array.from({ length: 20 }, async (_, i) => {
      const mode = modes[i % 2]!;
      const guard = await (i % 3 ? lock : again)[`acquire${mode}`]();
      order[mode].push(i);
      guard.release();
    });
    await waiting(lock, 10, 10);
    await hold.release();
    await Promise.all(waits);
    assert.deepEqual(order.Shared, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    assert.deepEqual(order.Exclusive, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    assertFree(lock);
  });

  it('no reader overtakes a waiting writer, except a blocking one whose thread reads already', async () => {
    const name = freshName(kind);
    const lock = open(name);
    const [reader, writer, late] = await Promise.all(
      [newProcess(), newProcess(), newProcess()].map(async (it) => (await it).open(kind, { name })),
    );
    const reading = await reader!.begin('acquireShared');
    const wait = writer!.begin('acquireExclusive');
    await claimed(lock);
    assertThrows(() => lock.acquireSharedSync({ timeout: 20 }), 'TimeoutError');
    const behind = late!.begin('acquireShared');
    await waiting(lock, 1, 1);
    const nested = await reader!.begin('acquireSharedSync', { timeout: 10_000 });
    await nested.release();
    await reading.release();
    const writing = await wait;
    // A writer that releases lets the waiting readers go first, not the next writer.
    const next = lock.acquireExclusive();
    await writing.release();
    const read = await behind;
    assert.equal(lock.inspect().writer, null);
    await read.release();
    (await next).release();
    assertFree(lock);
  });
});
