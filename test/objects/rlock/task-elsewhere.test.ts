// An RLock that a task holds, and workers and processes that wait for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { RLock } from 'holdfast';
import {
  type RemoteObject,
  assertRejects,
  assertThrows,
  freshName,
  isFree,
  newActor,
  track,
  until,
  waiting,
} from '../../support/index.js';
import { open, openIn, options, assertInside } from './tasks.js';

describe("RLock({ scope: 'async' })", () => {
  for (const place of ['worker', 'process'] as const) {
    for (const scope of ['thread', 'async'] as const) {
      describe(`and a ${place} with scope '${scope}'`, () => {
        let lock: RLock;
        let other: RemoteObject;
        beforeEach(async () => {
          const name = freshName();
          lock = open(name);
          other = await openIn(place, { name, scope });
        });

        it('exclude each other', async () => {
          const theirs = await other.acquire();
          assert.equal(lock.tryAcquire(), null);
          assert.deepEqual([lock.locked(), lock.depth()], [true, 0]);
          assertThrows(() => lock.acquireSync({ timeout: 5 }), 'TimeoutError');
          await assertRejects(lock.acquire({ timeout: 5 }), 'TimeoutError');
          const order: string[] = [];
          const tasks = ['first', 'second'].map((name) =>
            lock.runExclusive(async () => {
              order.push(name);
              assertInside(lock);
              assert.equal(await other.tryAcquire(), null);
              assertInside(lock);
              order.push(name);
            }),
          );
          await waiting(other, 2);
          await theirs.release();
          await Promise.all(tasks);
          assert.deepEqual(order, ['first', 'first', 'second', 'second']);
          const wait = other.acquire();
          await (await wait).release();
          assert.ok(await isFree(other));
        });

        it('a thread blocked in acquireSync() acquires it when the task has released', async () => {
          const guard = await lock.acquire();
          const nested = await lock.acquire();
          const wait = other.acquireSync();
          await until(() => lock.inspect().waiters === 1, 'it blocks');
          guard.release();
          assert.equal(lock.depth(), 1);
          nested.release();
          await (await wait).release();
        });

        it('its end hands the lock to one task, and the guard of that task tells of the death', async () => {
          const { name } = lock;
          const doomed = await newActor(place);
          const theirs = await doomed.open('RLock', options(name, scope));
          await theirs.acquire();
          const told: boolean[] = [];
          let inside = 0;
          const tasks = [0, 1, 2].map(async () => {
            using guard = await lock.acquire();
            assert.equal(++inside, 1);
            told.push(guard.abandoned);
            using nested = await lock.acquire();
            assert.equal(nested.abandoned, false);
            await turn();
            inside--;
          });
          await waiting(other, 3);
          await doomed.kill();
          await Promise.all(tasks);
          assert.deepEqual(told, [true, false, false]);
          assert.ok(await isFree(other));
        });
      });
    }
  }

  it('works in a worker thread as in the main thread', async () => {
    const code = `
      const { parentPort } = require('node:worker_threads');
      const { setImmediate: turn } = require('node:timers/promises');
      import('holdfast').then(async ({ RLock }) => {
        const lock = new RLock({ scope: 'async' });
        const depths = [];
        const task = async () => {
          const guard = await lock.acquire();
          depths.push(lock.depth());
          await turn();
          const nested = await lock.acquire();
          depths.push(lock.depth());
          nested.release();
          guard.release();
        };
        const tasks = [task(), task()];
        depths.push(lock.depth());
        await Promise.all(tasks);
        lock.close();
        parentPort.postMessage(depths);
      });`;
    const worker = new Worker(code, { eval: true, execArgv: [] });
    const [[depths]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    assert.deepEqual(depths, [0, 1, 2, 1, 2]);
  });

  it('the end of a process in which a task holds it is told to a thread', async () => {
    const name = freshName();
    const lock = track(new RLock({ name }));
    const doomed = await newActor('process');
    const theirs = await doomed.open('RLock', options(name, 'async'));
    await theirs.acquire();
    const queued = theirs.acquire();
    await until(() => lock.inspect().waiters === 1, 'a second task waits there');
    await doomed.kill();
    await assert.rejects(queued);
    const guard = lock.acquireSync();
    assert.equal(guard.abandoned, true);
    guard.release();
  });
});
