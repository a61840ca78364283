// The holder is the task. The hard part is to say which code is *not* the holder.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Guard, RLock } from 'holdfast';
import { until } from '../../support/index.js';
import {
  assertInside,
  assertOutside,
  deferrals,
  everywhere,
  open,
  outside,
  ways,
} from './tasks.js';

for (const scope of ['mixed', 'async'] as const) {
  describe(`RLock({ scope: '${scope}' })`, () => {
    for (const [way, hold] of Object.entries(ways)) {
      for (const contended of [false, true]) {
        describe(`${way}, ${contended ? 'after a wait' : 'of a free lock'}`, () => {
          let lock: RLock;
          let first: Guard | undefined;
          beforeEach(async () => {
            lock = open(undefined, scope);
            if (!contended) first = undefined;
            else if (scope === 'async') first = lock.acquireSync();
            // The thread's hold would let the plain calls of the tests in.
            else first = await outside(() => lock.acquire());
          });

          it('makes what the task calls and awaits the holder', async () => {
            const inner = async () => {
              using _ = await lock.acquire();
              await turn();
              assertInside(lock, 2);
            };
            const task = hold(lock, async () => {
              assertInside(lock, 1, 'at once');
              await everywhere((where) => assertInside(lock, 1, where));
              await inner();
              assert.equal(await lock.runExclusive(() => lock.depth()), 2);
              const emitter = new EventEmitter();
              let heard = 0;
              emitter.on('event', () => (heard = lock.depth()));
              emitter.emit('event');
              assert.equal(heard, 1);
              assertInside(lock, 1, 'after all of it');
            });
            await turn();
            first?.release();
            await task;
            assert.equal(lock.depth(), 0);
            assert.equal(lock.locked(), false);
          });

          it('lets all branches of the task in', async () => {
            const task = hold(lock, async () => {
              let inside = 0;
              const branch = async () => {
                using _ = await lock.acquire();
                inside++;
                await until(() => inside === 3, 'all branches are inside');
                assert.ok(lock.depth() > 1);
              };
              await Promise.all([branch(), branch(), branch()]);
              assert.equal(lock.depth(), 1);
            });
            await turn();
            first?.release();
            await task;
            assert.equal(lock.locked(), false);
          });

          it('does not make the caller the holder, nor what the caller starts after the call', async () => {
            let leave = () => {};
            const left = new Promise<void>((resolve) => (leave = resolve));
            let entered = false;
            const emitter = new EventEmitter();
            emitter.on('before', () => assertOutside(lock, 'listener'));
            const task = hold(lock, async () => {
              entered = true;
              await left;
              assertInside(lock);
            });
            // These are made in the turn of the call, in which the task acquires the lock or waits
            // for it. They run when the task has it.
            emitter.on('after', () => assertOutside(lock, 'listener'));
            const snapshot = AsyncLocalStorage.snapshot();
            const later = Object.values(deferrals).map(
              (defer) => new Promise<void>((resolve) => defer(resolve)),
            );
            const checks = later.map(async (made, index) => {
              await made;
              await until(() => entered, 'the task holds it');
              assertOutside(lock, Object.keys(deferrals)[index]);
              await everywhere((where) => assertOutside(lock, where));
            });
            const timers = [1, 5, 10].map(
              (ms) => new Promise<boolean>((resolve) => setTimeout(() => resolve(inside()), ms)),
            );
            const inside = () => lock.depth() > 0;
            const pending = Promise.resolve().then(() => until(() => entered, 'the task holds it'));
            const chained = pending.then(() =>
              assertOutside(lock, 'then of a promise from before'),
            );

            assertOutside(lock, 'right after the call');
            first?.release();
            await until(() => entered, 'the task holds it');
            assertOutside(lock, 'the caller');
            emitter.emit('before');
            emitter.emit('after');
            snapshot(() => assertOutside(lock, 'snapshot'));
            await Promise.all([...checks, chained]);
            assert.deepEqual(await Promise.all(timers), [false, false, false]);
            leave();
            await task;
            assert.equal(lock.locked(), false);
            lock.acquireSync().release();
          });

          it('does not make a sibling the holder: two are never inside at once', async () => {
            let inside = 0;
            const order: number[] = [];
            const sibling = (number: number) =>
              hold(lock, async () => {
                assert.equal(++inside, 1);
                order.push(number);
                await turn();
                await everywhere(() => assert.equal(inside, 1));
                using _ = await lock.acquire();
                await sleep(1);
                assert.equal(inside--, 1);
              });
            const all = Promise.all(Array.from({ length: 8 }, (_, number) => sibling(number)));
            await turn();
            first?.release();
            await all;
            assert.deepEqual(order, [...order.keys()], 'in the order of the calls');
            assert.equal(lock.locked(), false);
          });
        });
      }
    }
  });
}
