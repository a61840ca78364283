// What an acquisition by a task does not allow, and to which code.
import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Guard, RLock } from 'holdfast';
import { assertRejects, until } from '../../support/index.js';
import { open, assertOutside, assertInside, everywhere } from './tasks.js';

describe("RLock({ scope: 'async' })", () => {
  describe('what an acquisition does not give', () => {
    it('tryAcquire() and acquireSync() of a free lock hold for the guard: even the caller cannot enter', async () => {
      const lock = open();
      for (const acquire of [() => lock.tryAcquire()!, () => lock.acquireSync()]) {
        const guard = acquire();
        assertOutside(lock);
        await everywhere((where) => assertOutside(lock, where));
        await assertRejects(lock.acquire({ timeout: 5 }), 'TimeoutError');
        await assertRejects(
          lock.runExclusive(() => {}, { timeout: 5 }),
          'TimeoutError',
        );
        guard.release();
        assert.equal(lock.locked(), false);
      }
    });

    it('the caller of a function that returns the guard is not the holder', async () => {
      const lock = open();
      const functions = [
        async () => lock.acquire(),
        async () => await lock.acquire(),
        async () => {
          const guard = await lock.acquire();
          assertInside(lock);
          return guard;
        },
        () => Promise.race([lock.acquire(), new Promise<never>(() => {})]),
        () => lock.acquire().finally(() => {}),
      ];
      for (const acquire of functions) {
        const guard = await acquire();
        assertOutside(lock);
        guard.release();
      }
    });

    it('every code that awaits the promise is the holder', async () => {
      const lock = open();
      const wait = lock.acquire();
      let both = 0;
      const awaiter = async () => {
        const guard = await wait;
        assertInside(lock);
        both++;
        await until(() => both === 2, 'both are inside');
        return guard;
      };
      const [guard] = await Promise.all([awaiter(), awaiter()]);
      assertOutside(lock);
      await wait;
      assertInside(lock);
      guard.release();
      assert.equal((await wait).abandoned, false);
      assert.equal(lock.depth(), 0);
    });

    it('a hold that is over counts no more, even in a context that still has it', async () => {
      const lock = open();
      const guard = await lock.acquire();
      const stale = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;
      stale(() => assertInside(lock));
      guard.release();
      assert.equal(lock.depth(), 0);
      const other = lock.tryAcquire()!;
      stale(() => assertOutside(lock));
      assertOutside(lock);
      other.release();
      // The same task again. Its next hold is another one.
      using _ = await lock.acquire();
      assertInside(lock);
      stale(() => assertOutside(lock));
    });

    it('a pending acquisition does not make a holder, and a failed one neither', async () => {
      const lock = open();
      const guard = lock.acquireSync();
      const controller = new AbortController();
      const reason = new Error('enough');
      const waits = [
        lock.acquire({ timeout: 5 }),
        lock.acquire({ signal: controller.signal }),
        lock.acquire({ timeout: 0 }),
        lock.acquire({ timeout: -1 }),
      ].map(async (wait) => {
        await assert.rejects(wait);
        assertOutside(lock);
      });
      await turn();
      controller.abort(reason);
      await Promise.all(waits);
      guard.release();
      assert.equal(lock.locked(), false);
    });

    it('a promise that another hook makes meanwhile does not pass the hold on', async () => {
      const lock = open();
      const made: Promise<void>[] = [];
      let making = false;
      const hook = createHook({
        init() {
          if (making) return;
          making = true;
          made.push(Promise.resolve(), new Promise((resolve) => setImmediate(resolve)));
          making = false;
        },
      }).enable();
      try {
        const wait = lock.acquire();
        hook.disable();
        assert.ok(made.length > 0);
        const checks = made.map(async (promise) => {
          await promise;
          assertOutside(lock);
          await promise.then(() => assertOutside(lock));
        });
        let guard: Guard | undefined;
        await Promise.all([...checks, wait.then((taken) => void (guard = taken))]);
        assertOutside(lock);
        guard!.release();
      } finally {
        hook.disable();
      }
    });

    it('other AsyncLocalStorages keep their values, and other hooks their order', async () => {
      const storage = new AsyncLocalStorage<string>();
      const stack: number[] = [];
      const hook = createHook({
        init() {},
        before: (id) => void stack.push(id),
        after: (id) => void (stack.at(-1) === id && stack.pop()),
        destroy() {},
      }).enable();
      try {
        const [one, two] = [open(), open()];
        const task = (value: string, first: RLock, second: RLock) =>
          storage.run(value, async () => {
            using _ = await first.acquire();
            assert.equal(storage.getStore(), value);
            storage.enterWith(`${value}!`);
            await turn();
            await second.runExclusive(async () => {
              await turn();
              assert.deepEqual([one.depth(), two.depth()], [1, 1]);
              assert.equal(storage.getStore(), `${value}!`);
            });
            assertInside(first);
          });
        await Promise.all([task('a', one, two), task('b', one, two), task('c', one, two)]);
        assert.equal(storage.getStore(), undefined);
      } finally {
        hook.disable();
      }
    });
  });
});
