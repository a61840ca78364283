// Condition: waitFor() calls its predicate under the lock.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedMemory, type Wakeup } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newProcess,
  now,
  sharedActors,
  track,
  within,
} from '../../support/index.js';
import { open, notified, waiters } from './helpers.js';

describe('Condition', () => {
  describe('waitFor', () => {
    it('waits until the predicate is true, and resolves to what it returned', async () => {
      const [there] = await sharedActors('process', 1);
      const memory = track(new SharedMemory(64, { name: freshName('memory') }));
      const words = new Int32Array(memory.buffer);
      const { condition, remotes } = await open('Lock', [there!]);
      const theirs = await there!.make('SharedMemory', 64, { name: memory.name });
      for (const form of forms) {
        words[0] = 0;
        const done = there!.act<{ result: unknown; calls: number }>('waitForWord', {
          condition: remotes[0]!,
          memory: theirs,
          target: 3,
          form,
        });
        for (let value = 1; value <= 3; value++) {
          await waiters(condition, 1);
          await condition.runExclusive(() => {
            Atomics.store(words, 0, value);
            condition.notify();
          });
        }
        assert.deepEqual(await within(done, 'waitFor'), { result: 'reached 3', calls: 4 });
      }
    });

    it('does not wait when it is true at once', async () => {
      const { condition } = await open('RLock');
      const guard = condition.acquireSync();
      assert.equal(await condition.waitFor(() => 'so'), 'so');
      assert.equal(await condition.waitFor(async () => 'so'), 'so');
      assert.equal(
        condition.waitForSync(() => 'so'),
        'so',
      );
      assert.equal(condition.inspect().waiters, 0);
      guard.release();
    });

    it('tells the predicate of the wake-up, and takes one that is asynchronous', async () => {
      const victim = await newProcess();
      const { condition, remotes } = await open('Lock', [victim]);
      const told: (Wakeup | undefined)[] = [];
      const wait = condition.runExclusive(() =>
        condition.waitFor(async (wakeup) => {
          told.push(wakeup);
          await sleep(1);
          assert.equal(condition.locked(), true);
          return told.length === 3;
        }),
      );
      await waiters(condition, 1);
      await notified(condition);
      await waiters(condition, 1);
      await victim.act('notifyAndHold', { condition: remotes[0]!, count: 1 });
      await victim.kill();
      assert.equal(await within(wait, 'waitFor'), true);
      assert.deepEqual(told, [undefined, { abandoned: false }, { abandoned: true }]);
    });

    it('a TimeoutError names the timeout that was given, not what was left of it', async () => {
      const { condition } = await open('Lock');
      const never = () => false;
      const after = (ms: number) => ({
        name: 'TimeoutError',
        message: new RegExp(`: the wait ended after ${ms} ms$`),
      });
      const guard = condition.acquireSync();
      await assert.rejects(condition.wait({ timeout: 30 }), after(30));
      await assert.rejects(condition.waitFor(never, { timeout: 31 }), after(31));
      await assert.rejects(condition.wait({ timeout: 0 }), after(0));
      await assert.rejects(condition.waitFor(never, { timeout: 0 }), after(0));
      assert.throws(() => condition.waitSync({ timeout: 32 }), after(32));
      assert.throws(() => condition.waitForSync(never, { timeout: 33 }), after(33));
      assert.throws(() => condition.waitSync({ timeout: 0 }), after(0));
      guard.release();
    });

    it('one timeout for all of its waits; what the predicate throws passes', async () => {
      const { condition } = await open('Lock');
      const began = now();
      let calls = 0;
      const never = () => {
        calls++;
        return false;
      };
      const wait = condition.runExclusive(() => condition.waitFor(never, { timeout: 100 }));
      for (let i = 0; i < 3; i++) {
        await waiters(condition, 1);
        await notified(condition);
      }
      await assertRejects(wait, 'TimeoutError');
      assert.ok(now() - began >= 100);
      assert.equal(calls, 4);

      const guard = condition.acquireSync();
      assertThrows(() => condition.waitForSync(never, { timeout: 20 }), 'TimeoutError');
      assert.throws(
        () =>
          condition.waitForSync(() => {
            throw new Error('mine');
          }),
        /mine/,
      );
      await assert.rejects(
        condition.waitFor(() => Promise.reject(new Error('mine'))),
        /mine/,
      );
      assert.equal(condition.locked(), true);
      guard.release();
    });

    it('an abort ends it', async () => {
      const { condition } = await open('Lock');
      const controller = new AbortController();
      const guard = condition.acquireSync();
      const wait = condition.waitFor(() => false, { signal: controller.signal });
      await waiters(condition, 1);
      controller.abort(new Error('enough'));
      await assert.rejects(wait, /enough/);
      guard.release();
    });
  });
});
