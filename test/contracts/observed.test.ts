// Since when something is held, how long the longest waiter waits, and what list() tells of objects
// that the caller has not opened.
import assert from 'node:assert/strict';
import {
  BoundedSemaphore,
  JoinableQueue,
  Lock,
  Queue,
  ReadWriteLock,
  SharedMemory,
  list,
} from 'holdfast';
import { freshName, newActor, ownedKinds, sharedActor, track, until } from '../support/index.js';

const slice_ms = 50;

function stateOf(name: string) {
  const entry = list({ state: true }).find((one) => one.name === name);
  assert.ok(entry?.state, `no state of ${name}`);
  return entry.state;
}

describe('what is seen from outside', () => {
  for (const kind of ownedKinds) {
    it(`${kind}: since when it is held, also after a slice of a thread that only waits`, async () => {
      const name = freshName(kind);
      const holder = await (await sharedActor('process')).open(kind, { name });
      const hold = await holder.acquire();
      await until(() => stateOf(name).heldFor !== null, 'a look of the holder');
      const before = stateOf(name).heldFor!;
      await until(() => stateOf(name).heldFor! >= before + slice_ms, 'the hold to grow older');
      const [party] = stateOf(name).holders;
      assert.deepEqual({ how: party!.how, count: party!.count }, { how: 'exclusive', count: 1 });
      await hold.release();
      assert.equal(stateOf(name).heldFor, null);
      assert.deepEqual(stateOf(name).holders, []);
    });

    it(`${kind}: how long the longest waiter waits, and who it is`, async () => {
      const name = freshName(kind);
      const holder = await (await sharedActor('process')).open(kind, { name });
      const hold = await holder.acquire();
      const actor = await newActor('process');
      const waiter = await actor.open(kind, { name });
      const wait = waiter.acquire({ signal: 'live' });
      await wait.started;
      await until(() => (stateOf(name).longestWait ?? 0) >= 2 * slice_ms, 'a long wait');
      const { waiters } = stateOf(name);
      assert.equal(waiters.length, 1);
      assert.notEqual(waiters[0]!.pid, stateOf(name).holders[0]!.pid);
      assert.ok((await waiter.inspect()).longestWait! >= 2 * slice_ms);
      await wait.abort();
      await assert.rejects(wait);
      assert.equal(stateOf(name).longestWait, null);
      await hold.release();
    });
  }

  it('a holder that died is no holder; the object says abandoned', async () => {
    const name = freshName('Lock');
    track(new Lock({ name }));
    const actor = await newActor('process');
    const lock = await actor.open('Lock', { name });
    await lock.acquire();
    await actor.kill();
    await until(() => stateOf(name).holders.length === 0, 'the death to be seen');
    assert.equal(stateOf(name).abandoned, true);
    assert.equal(stateOf(name).heldFor, null);
  });

  it('list() opens nothing: the object goes with its last user', () => {
    const name = freshName('Lock');
    const lock = new Lock({ name });
    stateOf(name);
    lock.close();
    assert.ok(!list().some((entry) => entry.name === name));
  });

  it('holders and numbers of the other kinds', async () => {
    const semaphore = track(new BoundedSemaphore(3, { name: freshName('BoundedSemaphore') }));
    const permits = [semaphore.acquireSync(), semaphore.acquireSync()];
    const state = stateOf(semaphore.name);
    assert.equal(state.permits, 3);
    assert.deepEqual(
      state.holders.map(({ pid, how, count }) => ({ pid, how, count })),
      [{ pid: process.pid, how: 'permit', count: 2 }],
    );
    for (const permit of permits) permit.release();

    const lock = track(new ReadWriteLock({ name: freshName('ReadWriteLock') }));
    const readers = [lock.acquireSharedSync(), lock.acquireSharedSync()];
    assert.deepEqual(
      stateOf(lock.name).holders.map(({ how, count }) => ({ how, count })),
      [{ how: 'shared', count: 2 }],
    );
    for (const reader of readers) reader.release();

    const queue = track(new Queue<number>({ name: freshName('Queue') }));
    for (const item of [1, 2, 3]) queue.putSync(item);
    queue.getSync();
    const { size, puts, gets } = stateOf(queue.name);
    assert.deepEqual({ size, puts, gets }, { size: 2, puts: 3, gets: 1 });

    const leased = track(new JoinableQueue<string>({ name: freshName('JoinableQueue') }));
    for (const item of ['a', 'a longer one', 'c']) leased.putSync(item);
    const task = await leased.take();
    (await leased.take()).done();
    const last = await leased.take();
    const leases = stateOf(leased.name);
    assert.deepEqual({ size: leases.size, leased: leases.leased }, { size: 0, leased: 2 });
    assert.deepEqual(
      leases.holders.map(({ pid, how, count }) => ({ pid, how, count })),
      [{ pid: process.pid, how: 'lease', count: 2 }],
    );
    task.done();
    assert.equal(stateOf(leased.name).holders[0]!.count, 1);
    last.done();

    const memory = track(new SharedMemory(16, { name: freshName('SharedMemory') }));
    const entry = list({ state: true }).find(({ name }) => name === memory.name);
    assert.equal(entry!.state, null);
  });

  it('wrong options are refused', () => {
    assert.throws(() => list({ state: 1 as never }), /^TypeError: state must be a boolean, not 1/);
    assert.throws(() => list({ stat: true } as never), /did you mean state/);
  });
});
