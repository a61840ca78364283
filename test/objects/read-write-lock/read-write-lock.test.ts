// ReadWriteLock: many readers or one writer, wherever they are (INV-15), and nobody starves (INV-16).
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Guard, ReadWriteLock } from 'holdfast';
import { ContenderReports, describeObject } from '../../support/family.js';
import {
  type Form,
  Program,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newActor,
  newProcess,
  newWorker,
  now,
  random,
  sharedActor,
  track,
  twoSlices,
  until,
} from '../../support/index.js';

const kind = 'ReadWriteLock';
const open = (name?: string) => track(new ReadWriteLock({ name }));
const modes = ['Shared', 'Exclusive'] as const;
type Mode = (typeof modes)[number];
const method = (mode: Mode, form: Form) => `acquire${mode}${form === 'sync' ? 'Sync' : ''}`;

/** Resolves when so many wait, by the lock's own count. */
function waiting(lock: ReadWriteLock, readers: number, writers: number): Promise<void> {
  return until(() => {
    const { waitingReaders, waitingWriters } = lock.inspect();
    return waitingReaders === readers && waitingWriters === writers;
  }, `${readers} readers and ${writers} writers wait`);
}

/** Resolves when a writer is first in line: it is counted as waiting an instant before. */
function claimed(lock: ReadWriteLock): Promise<void> {
  return until(() => {
    const guard = lock.tryAcquireShared();
    guard?.release();
    return guard === null;
  }, 'a writer is first in line');
}

/** Nobody is inside or waits, and nobody is told anything. */
function assertFree(lock: ReadWriteLock): void {
  const reader = lock.tryAcquireShared();
  assert.equal(reader?.abandoned, false);
  reader.release();
  const writer = lock.tryAcquireExclusive();
  assert.equal(writer?.abandoned, false);
  writer.release();
  const { waitingReaders, waitingWriters, readers, writer: who, abandoned } = lock.inspect();
  assert.deepEqual(
    { waitingReaders, waitingWriters, readers, who, abandoned },
    { waitingReaders: 0, waitingWriters: 0, readers: [], who: null, abandoned: false },
  );
}

describe('ReadWriteLock', () => {
  describe('cells', () => {
    for (const place of ['process', 'worker'] as const) {
      it(place === 'process' ? 'across processes' : 'in workers', async () => {
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
        // Each mode waits for what excludes it, and is woken by its end.
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
          let began = now();
          assertThrows(() => lock[`acquire${wanted}Sync`]({ timeout }), 'TimeoutError', about);
          assert.ok(now() - began >= timeout);
          began = now();
          await assertRejects(lock[`acquire${wanted}`]({ timeout }), 'TimeoutError', about);
          assert.ok(now() - began >= timeout);
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
        const controller = new AbortController();
        const { signal } = controller;
        const waits = [
          lock[`acquire${wanted}`]({ signal }),
          lock[`acquire${wanted}`]({ signal, timeout: 60_000 }),
        ];
        const reason = new Error('enough');
        controller.abort(reason);
        for (const wait of waits) await assert.rejects(wait, reason);
        await assert.rejects(lock[`acquire${wanted}`]({ signal }), reason);
        await hold.release();
        assertFree(lock);
      }
    });

    for (const place of ['process', 'worker'] as const) {
      // A worker is terminated where a process is killed: the same cell.
      it(`killed while holding${place === 'worker' ? ' (a worker)' : ''}`, async () => {
        const name = freshName(kind);
        const lock = open(name);
        const waiters = await Promise.all(
          [newProcess(), newProcess()].map(async (actor) => (await actor).open(kind, { name })),
        );
        // A reader is simply gone: nothing is told.
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

        // A writer is not: every guard says so until somebody has had it exclusively.
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
        // Readers stand behind a writer that waits, and no longer than it lives.
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

    // Anywhere in a release: between leaving and ringing, or while it lets the readers go first.
    it('killed while notifying', async () => {
      const { next } = random('killed while releasing');
      const name = freshName(kind);
      const lock = open(name);
      using reports = new ContenderReports(kind, name, 0, 8);
      for (let kill = 0; kill < 6; kill++) {
        const victim = reports.start(kill, 'sync');
        await victim.line('{"what":"ready"');
        const waits = modes.map(async (mode) => {
          for (let round = 0; round < 15; round++) {
            using guard = await lock[`acquire${mode}`]();
            if (mode === 'Exclusive') reports.mend(guard);
          }
        });
        await sleep(next() * 10);
        await reports.kill(victim);
        await Promise.all(waits);
        const last = lock.acquireExclusiveSync({ timeout: 10_000 });
        reports.mend(last);
        last.release();
        assertFree(lock);
      }
      reports.assertSound();
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

  it('no reader enters past a writer that waits, but one that blocks and reads already', async () => {
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
    // The turn: a writer that leaves lets those go first who waited, not the next writer.
    const next = lock.acquireExclusive();
    await writing.release();
    const read = await behind;
    assert.equal(lock.inspect().writer, null);
    await read.release();
    (await next).release();
    assertFree(lock);
  });

  describe('upgrade', () => {
    it('from shared to exclusive is refused: DeadlockError from the form that blocks', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const about = { kind, objectName: name };
      const shared = lock.acquireSharedSync();
      assertThrows(() => lock.acquireExclusiveSync(), 'DeadlockError', about);
      assert.equal(lock.tryAcquireExclusive(), null);
      assertThrows(() => lock.acquireExclusiveSync({ timeout: 5 }), 'TimeoutError', about);
      await assertRejects(lock.acquireExclusive({ timeout: 5 }), 'TimeoutError', about);
      // None of them has left a claim behind.
      const there = await (await sharedActor('process')).open(kind, { name });
      await (await there.tryAcquire('tryAcquireShared'))!.release();
      shared.release();
      assertFree(lock);
    });

    it('from exclusive to anything, too', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const about = { kind, objectName: name };
      const guard = lock.acquireExclusiveSync();
      for (const mode of modes) {
        assertThrows(() => lock[`acquire${mode}Sync`](), 'DeadlockError', about);
        assertThrows(() => lock[`acquire${mode}Sync`]({ timeout: 5 }), 'TimeoutError', about);
        await assertRejects(lock[`acquire${mode}`]({ timeout: 5 }), 'TimeoutError', about);
      }
      assert.notEqual(lock.inspect().writer, null, 'it still writes');
      guard.release();
      assertFree(lock);
    });

    // The claim of the thread's own pending writer cannot be served while the thread blocks.
    it('a thread that blocks to read does not wait for its own pending writer', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const there = await (await newProcess()).open(kind, { name });
      const reading = await there.begin('acquireShared');
      const write = lock.acquireExclusive();
      await waiting(lock, 0, 1);
      assert.equal(lock.tryAcquireShared(), null, 'the forms that do not block stand behind it');
      const read = lock.acquireSharedSync();
      await reading.release();
      assert.equal(lock.inspect().writer, null);
      read.release();
      (await write).release();
      assertFree(lock);
    });

    it('a blocking wait that fails leaves the thread’s pending writer where it was', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const there = await (await newProcess()).open(kind, { name });
      const reading = await there.begin('acquireShared');
      const write = lock.acquireExclusive();
      await waiting(lock, 0, 1);
      assertThrows(() => lock.acquireExclusiveSync({ timeout: 0 }), 'TimeoutError');
      assertThrows(() => lock.acquireExclusiveSync({ timeout: 5 }), 'TimeoutError');
      assert.equal(lock.tryAcquireExclusive(), null);
      assert.equal(lock.tryAcquireShared(), null, 'it is still first in line');
      await reading.release();
      (await write).release();
      assertFree(lock);
    });
  });

  describe('inside runShared() and runExclusive()', () => {
    it('a task is refused what it would wait for itself, and may read again', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const about = { kind, objectName: name };
      const there = await (await newProcess()).open(kind, { name });
      await lock.runExclusive(async () => {
        for (const mode of modes) {
          await assertRejects(lock[`acquire${mode}`](), 'DeadlockError', about);
        }
      });
      const wait = await lock.runShared(async () => {
        await assertRejects(lock.acquireExclusive(), 'DeadlockError', about);
        const write = there.begin('acquireExclusive');
        await waiting(lock, 0, 1);
        // Past the writer, which waits for us.
        await lock.runShared(() => assert.equal(lock.inspect().readers.length, 2));
        return [write];
      });
      await (await wait[0]!).release();
      assertFree(lock);
    });

    // INV-15 needs a reader that passes a waiting writer to be in the table already.
    it('a task that has released its guard is like any other', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const [reader, writer] = await Promise.all(
        [newProcess(), newProcess()].map(async (it) => (await it).open(kind, { name })),
      );
      const reading = await reader!.begin('acquireShared');
      const wait = await lock.runShared(async (guard) => {
        guard.release();
        const write = writer!.begin('acquireExclusive');
        await claimed(lock);
        await assertRejects(lock.acquireShared({ timeout: 20 }), 'TimeoutError');
        return [write];
      });
      await reading.release();
      await (await wait[0]!).release();
      await lock.runExclusive(async (guard) => {
        guard.release();
        for (const mode of modes) (await lock[`acquire${mode}`]()).release();
      });
      assertFree(lock);
    });
  });

  it('1024 readers at a time; more wait, and all by one thread is a DeadlockError', async () => {
    const name = freshName(kind);
    const lock = open(name);
    const there = await (await newProcess()).open(kind, { name });
    const guards: Guard[] = [];
    for (let i = 0; i < 1023; i++) guards.push(lock.acquireSharedSync());
    const theirs = await there.begin('acquireShared');
    assert.equal(lock.tryAcquireShared(), null);
    assertThrows(() => lock.acquireSharedSync({ timeout: 1 }), 'TimeoutError');
    assert.equal(lock.inspect().readers.length, 1024);
    await theirs.release();
    guards.push(lock.acquireSharedSync());
    assertThrows(() => lock.acquireSharedSync(), 'DeadlockError', { kind, objectName: name });
    const wait = there.begin('acquireSharedSync');
    await waiting(lock, 1, 0);
    guards.pop()!.release();
    await (await wait).release();
    for (const guard of guards) guard.release();
    assertFree(lock);
  });

  describe('abandoned', () => {
    it('a writer that dies waiting, or after its release, leaves no news', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const victim = await newProcess();
      const theirs = await victim.open(kind, { name });
      await (await theirs.begin('acquireExclusive')).release();
      const guard = lock.acquireSharedSync();
      void theirs.begin('acquireExclusive');
      await waiting(lock, 0, 1);
      await victim.kill();
      guard.release();
      assertFree(lock);
    });

    it('the news outlives readers, writers that give up, and an empty house; the next writer ends it', async () => {
      const name = freshName(kind);
      const victim = await newProcess();
      await (await victim.open(kind, { name })).begin('acquireExclusive');
      await victim.kill();
      open(name).close();
      const lock = open(name);
      const there = await (await sharedActor('process')).open(kind, { name });
      assert.equal(lock.inspect().abandoned, true);
      const reading = await there.begin('acquireShared');
      assert.equal(reading.abandoned, true);
      assertThrows(() => lock.acquireExclusiveSync({ timeout: 5 }), 'TimeoutError');
      await assertRejects(lock.acquireExclusive({ timeout: 5 }), 'TimeoutError');
      assert.equal(lock.tryAcquireExclusive(), null);
      using again = lock.acquireSharedSync();
      assert.equal(again.abandoned, true);
      again.release();
      await reading.release();
      const writing = await there.begin('acquireExclusive');
      assert.equal(writing.abandoned, true);
      await writing.release();
      assertFree(lock);
    });

    it('a writer that dies mending leaves the news to the next', async () => {
      const name = freshName(kind);
      const lock = open(name);
      for (let link = 0; link < 4; link++) {
        const victim = link % 2 ? await newWorker() : await newProcess();
        const hold = await (await victim.open(kind, { name })).begin('acquireExclusive');
        assert.equal(hold.abandoned, link > 0);
        await victim.kill();
      }
      using guard = lock.acquireExclusiveSync();
      assert.equal(guard.abandoned, true);
      assert.equal(lock.inspect().abandonments, 4);
    });

    it('readers that died in an empty house are not counted', async () => {
      const name = freshName(kind);
      const victim = await newProcess();
      const theirs = await victim.open(kind, { name, persistent: true });
      await theirs.begin('acquireShared');
      await victim.kill();
      const lock = open(name);
      assert.deepEqual(lock.inspect().readers, []);
      assertFree(lock);
    });

    it('a stopped reader still reads, a stopped writer still writes', async () => {
      const name = freshName(kind);
      const lock = open(name);
      const holder = await newProcess();
      const theirs = await holder.open(kind, { name });
      for (const held of modes) {
        const hold = await theirs.begin(method(held, 'async'));
        holder.signal('SIGSTOP');
        await assertRejects(lock.acquireExclusive({ timeout: 150 }), 'TimeoutError');
        holder.signal('SIGCONT');
        await hold.release();
        assertFree(lock);
      }
    });
  });

  it('close(): HeldError for the handle that holds, ClosedError for what waits through it', async () => {
    const name = freshName(kind);
    const about = { kind, objectName: name };
    const there = await (await sharedActor('process')).open(kind, { name });
    for (const mode of modes) {
      const [lock, again] = [open(name), open(name)];
      const guard = lock[`tryAcquire${mode}`]()!;
      assertThrows(() => lock.close(), 'HeldError', about);
      again.close();
      guard.release();
      lock.close();
    }
    const reading = await there.begin('acquireShared');
    const [lock, again] = [open(name), open(name)];
    const waits = [again.acquireExclusive(), again.acquireShared(), again.acquireExclusive()];
    const stays = lock.acquireShared();
    await waiting(lock, 2, 2);
    again.close();
    for (const wait of waits) await assertRejects(wait, 'ClosedError', about);
    // With the writer's claim the reader's reason to wait is gone.
    (await stays).release();
    await reading.release();
    assertFree(lock);
  });

  it('inspect(): everything that it promises, and nothing else', () => {
    const name = freshName(kind);
    const lock = open(name);
    const me = { pid: process.pid, threadId: 0, processName: 'MainProcess' };
    const state = {
      kind,
      name,
      writer: null,
      readers: [],
      abandoned: false,
      waitingReaders: 0,
      waitingWriters: 0,
      acquisitions: 0,
      contentions: 0,
      abandonments: 0,
    };
    assert.deepEqual(lock.inspect(), state);
    const guards = [lock.acquireSharedSync(), lock.acquireSharedSync()];
    assert.deepEqual(lock.inspect(), { ...state, readers: [me, me], acquisitions: 2 });
    for (const guard of guards) guard.release();
    const guard = lock.acquireExclusiveSync();
    assert.deepEqual(lock.inspect(), { ...state, writer: me, acquisitions: 3 });
    guard.release();
  });

  it('wrong arguments are refused before anything is touched', async () => {
    const lock = open();
    for (const mode of modes) {
      for (const timeout of [-1, NaN, Infinity, 2 ** 31]) {
        assert.throws(() => lock[`acquire${mode}Sync`]({ timeout }), RangeError);
        await assert.rejects(lock[`acquire${mode}`]({ timeout }), RangeError);
      }
      const signal = {} as AbortSignal;
      await assert.rejects(lock[`acquire${mode}`]({ signal }), TypeError);
      assert.throws(() => lock[`acquire${mode}Sync`]({ signal } as never), TypeError);
      assert.throws(() => lock[`acquire${mode}Sync`](null as never), TypeError);
    }
    assert.equal(lock.inspect().acquisitions, 0);
  });

  describe('nobody starves', () => {
    for (const [load, wanted] of [
      ['Shared', 'Exclusive'],
      ['Exclusive', 'Shared'],
    ] as const) {
      it(`${wanted === 'Shared' ? 'readers' : 'writers'}, under continuous load of the others`, async () => {
        const name = freshName(kind);
        const lock = open(name);
        const loads = [1, 2, 3].map(
          () => new Program('family-load.mjs', [name, `acquire${load}`, '4']),
        );
        for (const program of loads) await program.line('ready');
        if (load === 'Shared') await until(() => lock.inspect().readers.length > 1, 'they overlap');
        const there = await (await newProcess()).open(kind, { name });
        const { acquisitions } = lock.inspect();
        for (let round = 0; round < 15; round++) {
          (await lock[`acquire${wanted}`]()).release();
          lock[`acquire${wanted}Sync`]().release();
          await (await there.begin(method(wanted, forms[round % 2]!))).release();
        }
        assert.ok(lock.inspect().acquisitions > acquisitions + 45, 'the load went on meanwhile');
        for (const program of loads) assert.equal(program.hasEnded, false, program.errors);
        await Promise.all(loads.map((program) => program.kill()));
      });
    }
  });

  it('contenders killed at random instants: never a reader with a writer, nothing torn untold', async function () {
    this.timeout(60_000);
    const { next, whole } = random('readers and writers under kills');
    const kills = 8;
    const name = freshName(kind);
    const lock = open(name);
    using reports = new ContenderReports(kind, name, 0, kills + 5);
    const contenders = [0, 1, 2, 3, 4].map((i) => reports.start(i, forms[i % 2]!));
    for (let kill = 0; kill < kills; kill++) {
      const victim = whole(0, contenders.length - 1);
      await contenders[victim]!.line('{"what":"ready"');
      await sleep(next() * 15);
      await reports.kill(contenders[victim]!);
      contenders[victim] = reports.start(5 + kill, forms[kill % 2]!);
      const { acquisitions } = lock.inspect();
      await until(() => lock.inspect().acquisitions > acquisitions, 'somebody gets on');
    }
    await Promise.all(contenders.map((it) => reports.kill(it)));
    reports.assertSound();
    lock.acquireExclusiveSync({ timeout: 10_000 }).release();
    assertFree(lock);
    const { acquisitions, abandonments } = lock.inspect();
    console.log(
      `      ${kills} killed, ${abandonments} of them writing; ${acquisitions} acquisitions`,
    );
  });

  describeObject<ReadWriteLock>({
    kind,
    open: (options) => new ReadWriteLock(options),
    mark: (lock) => lock.acquireSharedSync().release(),
    isMarked: (lock) => lock.inspect().acquisitions > 0,
    calls: {
      acquireShared: (it) => it.acquireShared(),
      acquireSharedSync: (it) => it.acquireSharedSync(),
      tryAcquireShared: (it) => it.tryAcquireShared(),
      runShared: (it) => it.runShared(() => {}),
      acquireExclusive: (it) => it.acquireExclusive(),
      acquireExclusiveSync: (it) => it.acquireExclusiveSync(),
      tryAcquireExclusive: (it) => it.tryAcquireExclusive(),
      runExclusive: (it) => it.runExclusive(() => {}),
      inspect: (it) => it.inspect(),
      unlink: (it) => it.unlink(),
    },
    asArgument: [[0, 1, 1, 0, 1]],
  });
});
