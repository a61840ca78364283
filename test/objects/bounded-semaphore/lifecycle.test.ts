// BoundedSemaphore: close(), garbage collection, inspect(), wrong arguments, and what all objects
// do.
import assert from 'node:assert/strict';
import { BoundedSemaphore } from 'holdfast';
import { describeObject } from '../../support/named-object.js';
import {
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  sharedActor,
} from '../../support/index.js';
import { kind, open, opened, takeAll, assertWhole } from './helpers.js';

describe('BoundedSemaphore', () => {
  it('close(): HeldError for the object that holds, ClosedError for waits through it', async () => {
    const name = freshName(kind);
    const [semaphore, again] = [open(2, name), open(2, name)];
    const there = await opened(await sharedActor('process'), name);
    const about = { kind, objectName: name };
    const guards = [semaphore.acquireSync(), semaphore.acquireSync()];
    assertThrows(() => semaphore.close(), 'HeldError', about);
    guards[1]!.release();
    assertThrows(() => semaphore.close(), 'HeldError', about);
    const theirs = await there.acquire();
    const [gone, stays] = [again.acquire(), semaphore.acquire()];
    again.close();
    await assertRejects(gone, 'ClosedError', about);
    await theirs.release();
    (await stays).release();
    guards[0]!.release();
    semaphore.close();
    assert.equal(await there.value(), 2);
  });

  it('permits of collected objects are held until the thread ends', async () => {
    const name = freshName(kind);
    const semaphore = open(3, name);
    const actor = await newProcess({ nodeArgs: ['--expose-gc'] });
    await actor.act('dropPermits', { name, permits: 3, count: 2 });
    assert.equal(semaphore.value(), 1);
    await actor.leave();
    const { guards, abandoned } = takeAll(semaphore);
    assert.deepEqual([guards.length, abandoned], [3, 2]);
    for (const guard of guards) guard.release();
  });

  it('inspect(): exactly the promised fields', async () => {
    const name = freshName(kind);
    const semaphore = open(3, name);
    const me = { pid: process.pid, threadId: 0, processName: 'MainProcess' };
    const nobody = { waiters: 0, longestWait: null, suspicions: [] };
    const state = { kind, name, permits: 3, ...nobody, contentions: 0, abandonments: 0 };
    assert.deepEqual(semaphore.inspect(), { ...state, value: 3, holders: [], acquisitions: 0 });
    const guards = [semaphore.acquireSync(), semaphore.acquireSync()];
    assert.deepEqual(semaphore.inspect(), {
      ...state,
      value: 1,
      holders: [me, me],
      acquisitions: 2,
    });
    for (const guard of guards) guard.release();
  });

  it('wrong permits are refused before anything is touched; 1 to 4096', async () => {
    for (const permits of [0, -1, 1.5, NaN, Infinity, 4097, 2 ** 32]) {
      assert.throws(() => new BoundedSemaphore(permits), RangeError, String(permits));
    }
    for (const permits of ['1', null, {}, 1n, true]) {
      assert.throws(() => new BoundedSemaphore(permits as never), TypeError, String(permits));
    }
    assert.throws(
      () => new BoundedSemaphore(undefined),
      /^TypeError: permits must be given, 1 to 4096/,
    );
    assert.throws(() => new BoundedSemaphore(...([] as never as [1])), /it has no default/);
    const semaphore = open(1);
    for (const timeout of [-1, NaN, Infinity]) {
      assert.throws(() => semaphore.acquireSync({ timeout }), RangeError);
      await assert.rejects(semaphore.acquire({ timeout }), RangeError);
    }
    assert.throws(() => semaphore.acquireSync({ signal: AbortSignal.abort() } as never), TypeError);
    await assert.rejects(semaphore.acquire({ signal: {} as never }), TypeError);
    assertWhole(semaphore, 1);
    const large = open(4096);
    const { guards } = takeAll(large);
    assert.equal(guards.length, 4096);
    assertThrows(() => large.acquireSync(), 'DeadlockError');
    assert.equal(large.inspect().holders.length, 4096);
    for (const guard of guards) guard.release();
    assert.equal(large.value(), 4096);
  });

  describeObject<BoundedSemaphore>({
    kind,
    number: { name: 'permits', value: 2, other: 3, largest: 4096 },
    open: (options) => new BoundedSemaphore(2, options),
    mark: (semaphore) => semaphore.acquireSync().release(),
    isMarked: (semaphore) => semaphore.inspect().acquisitions > 0,
    calls: {
      acquire: (it) => it.acquire(),
      acquireSync: (it) => it.acquireSync(),
      tryAcquire: (it) => it.tryAcquire(),
      withPermit: (it) => it.withPermit(() => {}),
      release: (it) => it.release(),
      value: (it) => it.value(),
      inspect: (it) => it.inspect(),
      unlink: (it) => it.unlink(),
    },
    asArgument: [[0, 1, 1, 2, 2], 'ERR_HOLDFAST_NOT_LOCKED'],
  });
});
