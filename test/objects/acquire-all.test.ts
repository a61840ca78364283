// acquireAll(): several locks in one order, all or none.
import assert from 'node:assert/strict';
import {
  type Acquirable,
  BoundedSemaphore,
  Event,
  Lock,
  RLock,
  ReadWriteLock,
  Semaphore,
  acquireAll,
  acquireAllSync,
  tryAcquireAll,
} from 'holdfast';
import {
  assertAborts,
  assertRejects,
  assertThrows,
  assertTimesOut,
  freshName,
  newActor,
  remotePlaces,
  run,
  sharedActor,
  track,
  until,
  within,
} from '../support/index.js';

function oneOfEach() {
  return {
    lock: track(new Lock({ name: freshName() })),
    rlock: track(new RLock({ name: freshName(), scope: 'thread' })),
    semaphore: track(new Semaphore(1, { name: freshName() })),
    bounded: track(new BoundedSemaphore(1, { name: freshName() })),
    table: track(new ReadWriteLock({ name: freshName() })),
  };
}

function assertFree({ lock, rlock, semaphore, bounded, table }: ReturnType<typeof oneOfEach>) {
  const { writer, readers } = table.inspect();
  assert.deepEqual(
    [lock.locked(), rlock.locked(), semaphore.value(), bounded.value(), writer, readers],
    [false, false, 1, 1, null, []],
  );
}

describe('acquireAll()', () => {
  it('acquires one of each kind, in all forms, and one guard releases them', async () => {
    const all = oneOfEach();
    const { lock, rlock, semaphore, bounded, table } = all;
    const locks = [table, lock, bounded, rlock, semaphore];
    for (const acquire of [acquireAll, acquireAllSync, tryAcquireAll]) {
      const guard = (await acquire(locks))!;
      assert.equal(guard.guards.length, 5);
      assert.deepEqual([guard.abandoned, guard.compromised], [false, false]);
      assert.deepEqual(
        [lock.locked(), rlock.locked(), semaphore.value(), bounded.value()],
        [true, true, 0, 0],
      );
      assert.notEqual(table.inspect().writer, null);
      guard.release();
      guard.release();
      assertFree(all);
    }
    {
      using _ = await acquireAll([lock, { lock: table, mode: 'shared' }]);
      using reader = table.tryAcquireShared();
      assert.notEqual(reader, null);
    }
    (await acquireAll([])).release();
    assertFree(all);
  });

  it('holds none after a timeout, an abort or a try in vain', async () => {
    const all = oneOfEach();
    const locks = Object.values(all);
    const actor = await sharedActor('process');
    for (const kind of ['Lock', 'RLock', 'BoundedSemaphore'] as const) {
      const { name } = locks.find((it) => it.toJSON().holdfast === kind)!;
      const there = await actor.open(kind, { name }, ...(kind === 'BoundedSemaphore' ? [1] : []));
      const hold = await there.begin('acquire');
      const about = { kind, objectName: name };
      assert.equal(tryAcquireAll(locks), null);
      await assertTimesOut((options) => acquireAll(locks, options), 30, about);
      await assertTimesOut((options) => acquireAllSync(locks, options), 30, about);
      let stays: Promise<Disposable> | undefined;
      await assertAborts(
        (options) => acquireAll(locks, options),
        () => (stays = acquireAll(locks)),
      );
      await hold.release();
      (await within(stays!, 'all of them'))[Symbol.dispose]();
      assertFree(all);
    }
  });

  for (const place of remotePlaces) {
    it(`a holder that dies is reported (${place})`, async () => {
      const names = [freshName(), freshName()];
      const locks = names.map((name) => track(new Lock({ name })));
      const actor = await newActor(place);
      const there = await actor.open('Lock', { name: names[1]! });
      await there.acquire();
      const wait = acquireAll(locks);
      await until(() => locks[1]!.inspect().waiters === 1, 'it waits');
      await actor.kill();
      const guard = await within(wait, 'all of them');
      assert.equal(guard.abandoned, true);
      assert.deepEqual(
        guard.guards.map(({ abandoned }) => abandoned),
        [false, true],
      );
      guard.release();
    });
  }

  it('callers that name them in all orders never wait in a circle', async () => {
    const names = [1, 2, 3].map(() => freshName());
    const file = 'acquire-all.mjs';
    const rounds = '200';
    const outcomes = await Promise.all(
      [names, names.toReversed(), [names[1]!, names[2]!, names[0]!]].map((order) =>
        run(file, { args: [rounds, ...order] }),
      ),
    );
    for (const { stdout, stderr } of outcomes) assert.equal(stdout, 'done 200 0\n', stderr);
  });

  it('refuses what is no lock before it acquires anything', async () => {
    const lock = track(new Lock({ name: freshName() }));
    const event = track(new Event({ name: freshName() }));
    const table = track(new ReadWriteLock({ name: freshName() }));
    const same = track(new Lock({ name: lock.name }));
    const wrong: [unknown, ErrorConstructor][] = [
      [undefined, TypeError],
      [lock, TypeError],
      [[lock, event], TypeError],
      [[lock, null], TypeError],
      [[lock, { lock: table, mode: 'write' }], TypeError],
      [[lock, { lock: table }], TypeError],
      [[lock, { lock: table, mode: 'shared', how: 1 }], TypeError],
      [[lock, same], RangeError],
    ];
    for (const [locks, error] of wrong) {
      const given = locks as Acquirable[];
      await assert.rejects(acquireAll(given), error);
      assert.throws(() => acquireAllSync(given), error);
      assert.throws(() => tryAcquireAll(given), error);
    }
    await assert.rejects(acquireAll([lock], { timeout: -1 }), RangeError);
    await assert.rejects(acquireAll([lock], { timout: 1 } as object), TypeError);
    same.close();
    await assertRejects(acquireAll([lock, same]), 'ClosedError');
    assertThrows(() => tryAcquireAll([lock, same]), 'ClosedError');
    assert.equal(lock.locked(), false);
  });
});
