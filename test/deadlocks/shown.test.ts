// What inspect() shows of possible deadlocks, and what the error of a thread shows that would wait
// for itself.
import assert from 'node:assert/strict';
import {
  BoundedSemaphore,
  DeadlockError,
  type DeadlockedWait,
  Lock,
  LockManager,
  RLock,
  ReadWriteLock,
  acquireAllSync,
} from 'holdfast';
import { freshName, sharedActor, track, until } from '../support/index.js';

interface Shown {
  readonly suspicions: readonly (readonly DeadlockedWait[])[];
}

interface Waited {
  readonly kind: 'Lock' | 'RLock' | 'ReadWriteLock' | 'BoundedSemaphore' | 'LockManager';
  readonly name: string;
  readonly how: DeadlockedWait['how'];
  inspect(): Shown;
  wait(signal: AbortSignal): Promise<unknown>;
}

function oneOfEach(): Waited[] {
  const lock = track(new Lock({ name: freshName() }));
  const rlock = track(new RLock({ name: freshName() }));
  const table = track(new ReadWriteLock({ name: freshName() }));
  const reader = track(new ReadWriteLock({ name: freshName() }));
  const permits = track(new BoundedSemaphore(1, { name: freshName() }));
  const locks = track(new LockManager({ namespace: freshName() }));
  const of = (
    kind: Waited['kind'],
    object: { name: string; inspect(): Shown },
    wait: Waited['wait'],
    how: Waited['how'] = 'exclusive',
  ): Waited => ({ kind, name: object.name, how, inspect: () => object.inspect(), wait });
  return [
    of('Lock', lock, (signal) => lock.acquire({ signal })),
    of('RLock', rlock, (signal) => rlock.acquire({ signal })),
    of('ReadWriteLock', table, (signal) => table.acquireExclusive({ signal })),
    of('ReadWriteLock', reader, (signal) => reader.acquireShared({ signal }), 'shared'),
    of('BoundedSemaphore', permits, (signal) => permits.acquire({ signal }), 'permit'),
    of('LockManager', { name: locks.namespace, inspect: () => locks.inspect() }, (signal) =>
      locks.request('a lock', { signal }, () => {}),
    ),
  ];
}

/** Another process has the object by a guard in a variable. */
async function heldThere({ kind, name }: Waited): Promise<{ release(): Promise<unknown> }> {
  const actor = await sharedActor('process');
  if (kind === 'LockManager') {
    const there = await actor.make('LockManager', { namespace: name });
    const { remote } = await there.keep('acquire', 'a lock');
    return { release: () => remote.call('release') };
  }
  const permits = kind === 'BoundedSemaphore' ? [1] : [];
  const there = await actor.open(kind as 'Lock', { name }, ...permits);
  return there.begin(kind === 'ReadWriteLock' ? 'acquireExclusive' : 'acquireSync');
}

describe('suspicions', () => {
  it('inspect() of each kind shows them, while they last', async () => {
    const actor = await sharedActor('process');
    const mine = track(new Lock({ name: freshName() }));
    const guard = await mine.acquire();
    const waited = oneOfEach();
    const theirs = await Promise.all(waited.map(heldThere));
    const there = await actor.open('Lock', { name: mine.name });
    const theirWait = there.begin('acquire', { signal: 'live' });
    const end = new AbortController();
    const waits = waited.map(({ wait }) => wait(end.signal));
    for (const one of waited) {
      await until(() => one.inspect().suspicions.length > 0, `a suspicion of ${one.kind}`);
      const { suspicions } = one.inspect();
      assert.equal(suspicions.length, 1);
      const [me, other, ...more] = suspicions[0]!;
      assert.deepEqual(more, []);
      const { kind, name, how } = one;
      assert.deepEqual([me!.kind, me!.name, me!.how, me!.pid], [kind, name, how, process.pid]);
      assert.equal(me!.lock, kind === 'LockManager' ? 'a lock' : undefined);
      assert.ok(me!.waitedFor >= 1000);
      assert.deepEqual([other!.name, other!.pid], [mine.name, actor.pid]);
      assert.deepEqual(me!.heldBy, [{ pid: actor.pid, threadId: 0, processName: 'MainProcess' }]);
    }
    assert.equal((await there.inspect<Shown>()).suspicions.length, 1);
    end.abort();
    await Promise.allSettled(waits);
    for (const one of waited) assert.deepEqual(one.inspect().suspicions, []);
    await theirWait.abort();
    guard.release();
    for (const hold of theirs) await hold.release();
  });
});

describe('a wait that has acquired', () => {
  it('is not shown as waiting, while another wait of the thread is told', async () => {
    const actor = await sharedActor('process');
    const mine = track(new Lock({ name: freshName() }));
    const guard = await mine.acquire();
    const locks = track(new LockManager({ namespace: freshName() }));
    const there = await actor.make('LockManager', { namespace: locks.namespace });
    const [first, second] = [await there.keep('acquire', 'x'), await there.keep('acquire', 'y')];
    const theirWait = (await actor.open('Lock', { name: mine.name })).begin('acquire', {
      signal: 'live',
    });
    const waitedFor = () => locks.inspect().suspicions.map(([wait]) => wait!.lock);
    const waits = [locks.request('x', waitedFor), locks.request('y', waitedFor)];
    await until(() => waitedFor().includes('x'), 'a suspicion');
    await first.remote.call('release');
    assert.deepEqual(
      (await waits[0])!.filter((name) => name === 'x'),
      [],
    );
    await theirWait.abort();
    guard.release();
    await second.remote.call('release');
    await waits[1];
  });
});

describe('a thread that would wait for itself', () => {
  it('the error says at once who waits for what, and that it holds it itself', () => {
    const me = { pid: process.pid, threadId: 0, processName: 'MainProcess' };
    const cycleOf = (wait: () => unknown): readonly DeadlockedWait[] => {
      try {
        wait();
      } catch (error) {
        if (error instanceof DeadlockError) return error.cycle;
        throw error;
      }
      return [];
    };
    const expected = (kind: string, name: string, how: DeadlockedWait['how'], lock = {}) => [
      { ...me, kind, name, ...lock, how, waitedFor: 0, heldBy: [me] },
    ];
    const lock = track(new Lock({ name: freshName() }));
    const permits = track(new BoundedSemaphore(1, { name: freshName() }));
    const table = track(new ReadWriteLock({ name: freshName() }));
    const locks = track(new LockManager({ namespace: freshName() }));
    const guards = [lock.acquireSync(), permits.acquireSync(), table.acquireExclusiveSync()];
    const ofLock = expected('Lock', lock.name, 'exclusive');
    assert.deepEqual(
      cycleOf(() => lock.acquireSync()),
      ofLock,
    );
    assert.deepEqual(
      cycleOf(() => acquireAllSync([lock])),
      ofLock,
    );
    assert.deepEqual(
      cycleOf(() => permits.waitForReleaseSync()),
      expected('BoundedSemaphore', permits.name, 'permit'),
    );
    assert.deepEqual(
      cycleOf(() => table.acquireSharedSync()),
      expected('ReadWriteLock', table.name, 'shared'),
    );
    const nested = () => locks.requestSync('a', { mode: 'shared' }, () => {});
    assert.deepEqual(
      cycleOf(() => locks.requestSync('a', nested)),
      expected('LockManager', locks.namespace, 'shared', { lock: 'a' }),
    );
    for (const guard of guards) guard.release();
  });
});
