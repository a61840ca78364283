// ReadWriteLock: close(), inspect(), wrong arguments, and what all objects do.
import assert from 'node:assert/strict';
import { ReadWriteLock } from 'holdfast';
import { describeObject } from '../../support/named-object.js';
import { assertRejects, assertThrows, freshName, sharedActor } from '../../support/index.js';
import { kind, open, modes, waiting, assertFree } from './helpers.js';

describe('ReadWriteLock', () => {
  it('close(): HeldError for the object that holds, ClosedError for waits through it', async () => {
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
    // The reader waited for the claim of the writer. That claim is gone now.
    (await stays).release();
    await reading.release();
    assertFree(lock);
  });

  it('inspect(): exactly the promised fields', () => {
    const name = freshName(kind);
    const lock = open(name);
    const me = { pid: process.pid, threadId: 0, processName: 'MainProcess' };
    const state = {
      kind,
      name,
      writer: null,
      heldFor: null,
      readers: [],
      abandoned: false,
      waitingReaders: 0,
      waitingWriters: 0,
      longestReaderWait: null,
      longestWriterWait: null,
      suspicions: [],
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
