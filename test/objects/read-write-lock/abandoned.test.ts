// ReadWriteLock: the death of a holder.
import assert from 'node:assert/strict';
import {
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  newWorker,
  sharedActor,
} from '../../support/index.js';
import { kind, open, modes, method, waiting, assertFree } from './helpers.js';

describe('ReadWriteLock', () => {
  describe('abandoned', () => {
    it('a writer that dies while it waits, or after its release, leaves no death to tell', async () => {
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

    it('every guard tells the death until the next writer holds the lock, even if nobody has it open meanwhile', async () => {
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

    it('a writer that dies before it has mended the data leaves the death to be told', async () => {
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

    it('readers that died as the last users are not counted', async () => {
      const name = freshName(kind);
      const victim = await newProcess();
      const theirs = await victim.open(kind, { name, persistent: true });
      await theirs.begin('acquireShared');
      await victim.kill();
      const lock = open(name);
      assert.deepEqual(lock.inspect().readers, []);
      assertFree(lock);
    });

    it('a stopped reader and a stopped writer keep their holds', async () => {
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
});
