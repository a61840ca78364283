// A Condition over an RLock that a task holds.
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { Condition, type Guard, type RLock, attach } from 'holdfast';
import { assertRejects, assertThrows, freshName, twoSlices, until } from '../../support/index.js';
import { open, outside, assertOutside, assertInside, everywhere } from './tasks.js';

describe("RLock({ scope: 'async' })", () => {
  describe('under a Condition', () => {
    function over(lock: RLock): Condition {
      const condition = new Condition(lock);
      conditions.push(condition);
      return condition;
    }
    const conditions: Condition[] = [];
    afterEach(() => {
      for (const condition of conditions.splice(0)) condition.close();
    });

    it('wait() gives it up for other tasks, and holds it again as deep as before', async () => {
      const lock = open();
      const condition = over(lock);
      const steps: string[] = [];
      const waiter = async (name: string) => {
        const guard = await lock.acquire();
        using nested = await lock.acquire();
        steps.push(`${name} waits`);
        await condition.wait();
        steps.push(`${name} has it`);
        assertInside(lock, 2);
        await turn();
        await everywhere((where) => assertInside(lock, 2, where));
        steps.push(`${name} goes`);
        assert.equal(nested.abandoned, false);
        guard.release();
      };
      const waits = [waiter('a'), waiter('b')];
      await until(() => steps.length === 2, 'both wait');
      assert.deepEqual([lock.locked(), lock.depth()], [false, 0]);
      await lock.runExclusive(async () => {
        assert.equal(condition.notifyAll(), 2);
        await twoSlices();
        assert.equal(steps.length, 2);
        assertInside(lock);
      });
      await Promise.all(waits);
      assert.deepEqual(steps.slice(2), ['a has it', 'a goes', 'b has it', 'b goes']);
      assert.equal(lock.locked(), false);
    });

    it('a task that is not the holder may neither wait nor notify', async () => {
      const lock = open();
      const condition = over(lock);
      const check = async () => {
        await assertRejects(condition.wait(), 'NotOwnerError');
        await assertRejects(
          condition.waitFor(() => true),
          'NotOwnerError',
        );
        assertThrows(() => condition.waitSync(), 'NotOwnerError');
        assertThrows(() => condition.notify(), 'NotOwnerError');
      };
      await check();
      const guard = lock.acquireSync();
      await check();
      guard.release();
      await lock.runExclusive(async () => {
        await outside(check);
        assert.equal(condition.notify(), 0);
        assertThrows(() => condition.waitSync({ timeout: 5 }), 'TimeoutError');
        assertInside(lock);
      });
    });

    it('after a timeout the same hold is back, too', async () => {
      const lock = open();
      const condition = over(lock);
      let other: Promise<Guard> | undefined;
      await lock.runExclusive(async (guard) => {
        const wait = assertRejects(condition.wait({ timeout: 10 }), 'TimeoutError');
        assert.equal(lock.depth(), 0);
        const theirs = outside(() => lock.tryAcquire())!;
        await twoSlices();
        assertOutside(lock);
        // This branch of the task waits for nothing, so the hold of the wait is in another branch.
        other = outside(() => lock.acquire());
        theirs.release();
        await wait;
        assertInside(lock);
        guard.release();
        assert.equal(lock.depth(), 0);
      });
      (await other!).release();
      assert.equal(lock.locked(), false);
    });

    it('its handle contains the scope of its lock', async () => {
      const lock = open(freshName());
      const condition = over(lock);
      const copy = attach(condition.toJSON());
      conditions.push(copy);
      assert.equal((copy.lock as RLock).scope, 'async');
      const own = new Condition(undefined, { scope: 'async' });
      conditions.push(own);
      assert.equal((own.lock as RLock).scope, 'async');
      assert.equal(attach(own.toJSON()).close(), undefined);
      assert.throws(() => new Condition(lock, { scope: 'async' }), TypeError);
      assert.throws(() => new Condition(undefined, { scope: 'x' as never }), TypeError);
      const plain = new Condition();
      conditions.push(plain);
      assert.deepEqual(plain.toJSON(), { holdfast: 'Condition', name: plain.name });
    });
  });
});
