// A waiter that hears of everything which could end its wait looks every second, not every
// slice (INV-28). native/test/dozing_test.cc tests that it hears of everything.
import assert from 'node:assert/strict';
import { Lock, RLock } from 'holdfast';
import { Program, freshName, track, until } from '../support/index.js';

describe('who waits without blocking', () => {
  for (const Kind of [Lock, RLock]) {
    it(`sleeps most of the time: ${Kind.name}`, async function () {
      this.timeout(30_000);
      const lock = track(new Kind({ name: freshName('dozing') }));
      const guard = await lock.acquire();
      const waiter = new Program('idle-wait.mjs', { args: [Kind.name, lock.name] });
      await until(() => lock.inspect().waiters === 1, 'a waiter');
      await new Promise((resolve) => setTimeout(resolve, 1500));
      guard.release();
      const { stdout, stderr } = await waiter.outcome();
      const sleeps = Number(stdout);
      // With slices there are 20 at least.
      assert.ok(sleeps > 0 && sleeps < 14, `${stdout}${stderr}`);
    });
  }
});
