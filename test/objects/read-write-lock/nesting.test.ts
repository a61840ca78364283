// ReadWriteLock: what a thread that holds may acquire; the limit of readers.
import assert from 'node:assert/strict';
import type { Guard } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  sharedActor,
} from '../../support/index.js';
import { kind, open, modes, waiting, claimed, assertFree } from './helpers.js';

describe('ReadWriteLock', () => {
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
      // None of them has left a claim.
      const there = await (await sharedActor('process')).open(kind, { name });
      await (await there.tryAcquire('tryAcquireShared'))!.release();
      shared.release();
      assertFree(lock);
    });

    it('from exclusive to either mode is refused, too', async () => {
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
    it('a task may read again; where it would wait for itself, it is refused', async () => {
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
        // It enters before the waiting writer, because that one waits for this thread.
        await lock.runShared(() => assert.equal(lock.inspect().readers.length, 2));
        return [write];
      });
      await (await wait[0]!).release();
      assertFree(lock);
    });

    // INV-15: only a reader that is in the table already may pass a waiting writer.
    it('a task that has released its guard is like any other task', async () => {
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

  it('1024 readers at a time; more wait; DeadlockError if one thread has all 1024', async () => {
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
});
