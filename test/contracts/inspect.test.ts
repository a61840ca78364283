// inspect() and locked() are snapshots, and what they show was true at one instant.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Lock, RLock, Semaphore } from 'holdfast';
import {
  allKinds,
  assertRejects,
  freshName,
  newActor,
  ownedKinds,
  sharedActor,
  track,
  until,
  waiting,
} from '../support/index.js';

describe('inspect', () => {
  for (const kind of ownedKinds) {
    it(`${kind}: exactly the promised fields`, () => {
      const name = freshName(kind);
      const lock = track(kind === 'Lock' ? new Lock({ name }) : new RLock({ name }));
      const free = {
        kind,
        name,
        locked: false,
        abandoned: false,
        owner: null,
        heldFor: null,
        waiters: 0,
        longestWait: null,
        suspicions: [],
        acquisitions: 0,
        contentions: 0,
        abandonments: 0,
      };
      assert.deepEqual(lock.inspect(), free);
      const guard = lock.acquireSync();
      const owner = { pid: process.pid, threadId: 0, processName: 'MainProcess' };
      assert.deepEqual(lock.inspect(), { ...free, locked: true, acquisitions: 1, owner });
      guard.release();
      assert.deepEqual(lock.inspect(), { ...free, acquisitions: 1 });
    });
  }

  it('Semaphore: exactly the promised fields', () => {
    const name = freshName();
    const semaphore = track(new Semaphore(4, { name }));
    semaphore.acquireSync();
    const nobody = { waiters: 0, longestWait: null };
    const state = { kind: 'Semaphore', name, value: 3, initial: 4, ...nobody };
    assert.deepEqual(semaphore.inspect(), { ...state, acquisitions: 1, contentions: 0 });
  });

  // It counts the acquisitions that wait now, and not those that waited when the head of the queue
  // last looked.
  for (const kind of allKinds) {
    it(`${kind}: waiters are counted as soon as they wait, and no longer than they wait`, async () => {
      const name = freshName(kind);
      const holder = await (await sharedActor('worker')).open(kind, { name });
      await holder.acquire();
      const here = await (await sharedActor('thread')).open(kind, { name });
      const there = await (await sharedActor('process')).open(kind, { name });
      const counts: number[] = [];
      const count = async () => counts.push(await holder.waiters());

      const first = here.acquire({ signal: 'live' });
      await first.started;
      await count();
      const second = here.acquire({ signal: 'live' });
      await second.started;
      await count();
      const third = there.acquire({ signal: 'live' });
      await third.started;
      await count();
      assert.deepEqual(counts, [1, 2, 3]);

      // One that goes may wake another one, which is counted again as soon as it has looked.
      const left = (number: number) =>
        until(async () => (await holder.waiters()) === number, `${number} wait`);
      await second.abort();
      await left(2);
      await first.abort();
      await left(1);
      await third.abort();
      await left(0);
    });

    it(`${kind}: acquisitions and contentions of all processes`, async () => {
      const name = freshName(kind);
      const lock = await (await sharedActor('thread')).open(kind, { name });
      const other = await (await newActor('process')).open(kind, { name });
      await (await lock.acquire()).release();
      const held = await other.acquire();
      assert.equal(await lock.tryAcquire(), null); // does not wait
      await assertRejects(lock.acquire({ timeout: 0 }), 'TimeoutError'); // does not wait either
      await assertRejects(lock.acquire({ timeout: 5 }), 'TimeoutError'); // 1
      const waits = [lock.acquire(), lock.acquire()]; // 2, 3
      await waiting(other, 2);
      await held.release();
      for (const wait of waits) await (await wait).release();
      const { acquisitions, contentions } = await other.inspect();
      // Two tasks of a thread that are inside at the same time are one hold of an RLock.
      const expected = kind === 'RLock' ? [3, 4] : [4];
      assert.ok(expected.includes(acquisitions), `${acquisitions} acquisitions`);
      assert.equal(contentions, 3);
    });
  }

  it('after the holder has gone there is no holder', async () => {
    for (const kind of ownedKinds) {
      const name = freshName(kind);
      const process = await newActor('process');
      const lock = await (await sharedActor('thread')).open(kind, { name });
      await (await process.open(kind, { name })).acquire();
      assert.equal((await lock.inspect()).owner?.pid, process.pid);
      await process.kill();
      await until(async () => (await lock.inspect()).abandoned, 'its death is seen');
      assert.deepEqual([await lock.locked(), (await lock.inspect()).owner], [false, null]);
    }
  });

  it('console.log and JSON show no internals', () => {
    const lock = track(new Lock({ name: freshName() }));
    assert.equal(
      JSON.stringify({ lock }),
      JSON.stringify({ lock: { holdfast: 'Lock', name: lock.name } }),
    );
    assert.equal(inspect(lock), `Lock { name: '${lock.name}', kind: 'Lock' }`);
  });
});
