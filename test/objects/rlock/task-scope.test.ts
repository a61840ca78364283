// RLock({ scope: 'async' }): the holder is the task, not the thread. The hard half is who is *not*
// the holder.
import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import {
  Condition,
  type Guard,
  RLock,
  type RLockHandle,
  type RLockOptions,
  attach,
  list,
} from 'holdfast';
import {
  type RemoteObject,
  assertRejects,
  assertThrows,
  freshName,
  isFree,
  newActor,
  random,
  run,
  sharedActor,
  track,
  twoSlices,
  until,
  waiting,
} from '../../support/index.js';

function open(name?: string): RLock {
  return track(new RLock({ name, scope: 'async' }));
}

/** Calls outside of every task, whoever calls it. */
const outside = AsyncLocalStorage.snapshot() as <R>(fn: () => R) => R;

async function openIn(place: 'thread' | 'worker' | 'process', options: RLockOptions, number = 1) {
  return (await sharedActor(place, number)).open('RLock', options);
}

function options(name: string, scope: 'thread' | 'async'): RLockOptions {
  return { name, scope };
}

/** Fails if the running task is the holder, or if the lock is free. */
function assertOutside(lock: RLock, where = ''): void {
  assert.equal(lock.locked(), true, `nobody holds it: ${where}`);
  assert.equal(lock.depth(), 0, `holds it: ${where}`);
  assert.equal(lock.tryAcquire(), null, `entered: ${where}`);
  assertThrows(() => lock.acquireSync(), 'DeadlockError');
  assertThrows(() => lock.release(), 'NotOwnerError');
}

/** Fails if the running task is not the holder. Leaves the depth as it was. */
function assertInside(lock: RLock, depth = 1, where = ''): void {
  assert.equal(lock.depth(), depth, `depth ${where}`);
  lock.tryAcquire()!.release();
  lock.acquireSync().release();
  lock.acquireSync({ timeout: 0 });
  lock.release();
  assert.equal(lock.depth(), depth, `depth after nested holds ${where}`);
}

/** What makes code run later, and in whose context. */
const deferrals: Record<string, (callback: () => void) => void> = {
  setTimeout: (callback) => void setTimeout(callback, 1),
  setImmediate: (callback) => void setImmediate(callback),
  nextTick: (callback) => process.nextTick(callback),
  queueMicrotask: (callback) => queueMicrotask(callback),
  'a promise': (callback) => void Promise.resolve().finally(callback),
  await: (callback) =>
    void (async () => {
      await undefined;
      callback();
    })(),
  'MessagePort and back': (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      port1.close();
      callback();
    });
    port2.postMessage(0);
  },
};

/** Runs `check` in each of them, all made now. */
async function everywhere(check: (where: string) => void): Promise<void> {
  const checks = Object.entries(deferrals).map(
    ([where, defer]) =>
      new Promise<void>((resolve, reject) => {
        defer(() => {
          try {
            check(where);
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      }),
  );
  await Promise.all(checks);
}

type Body = (guard: Guard) => Promise<void>;

/** The ways in which a task becomes the holder. */
const ways: Record<string, (lock: RLock, body: Body) => Promise<void>> = {
  async 'using await acquire()'(lock, body) {
    using guard = await lock.acquire();
    await body(guard);
  },
  'acquire().then()': (lock, body) =>
    lock.acquire().then(async (guard) => {
      await body(guard);
      guard.release();
    }),
  async 'acquire(), awaited late'(lock, body) {
    const wait = lock.acquire({ timeout: 20_000, signal: new AbortController().signal });
    wait.catch(() => {});
    await until(() => lock.locked(), 'somebody holds it');
    await turn();
    using guard = await wait;
    await body(guard);
  },
  'runExclusive()': (lock, body) => lock.runExclusive(body),
};

describe("RLock({ scope: 'async' })", () => {
  for (const [way, hold] of Object.entries(ways)) {
    for (const contended of [false, true]) {
      describe(`${way}, ${contended ? 'after a wait' : 'of a free lock'}`, () => {
        let lock: RLock;
        let first: Guard | undefined;
        beforeEach(() => {
          lock = open();
          first = contended ? lock.acquireSync() : undefined;
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

        it('does not make the caller the holder, whatever it makes after the call', async () => {
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
          // Made in the same turn as the call, when the task may have the lock or wait for it; run
          // when it has it.
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
          const chained = pending.then(() => assertOutside(lock, 'then of a promise from before'));

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

        it('does not make a sibling the holder: two at a time never', async () => {
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

  describe('what an acquisition does not give', () => {
    it('tryAcquire() and acquireSync() of a free lock are the guard’s: nobody enters, nor the caller', async () => {
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

    it('whoever awaits the promise is the holder, and each that does', async () => {
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

    it('a hold that is over counts no more, in whatever context it still is', async () => {
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
      // The same task again: the next hold is another one.
      using _ = await lock.acquire();
      assertInside(lock);
      stale(() => assertOutside(lock));
    });

    it('a pending acquisition counts as nothing, and neither does one that failed', async () => {
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

    it('a promise that some hook makes meanwhile hands nothing over', async () => {
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

    it('other storages of the program keep their values, hooks of the program their order', async () => {
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

  it('any number of tasks, at random: never two, and every hold ends', async () => {
    const numbers = random('tasks at random');
    const locks = [open(), open(), open()];
    const inside = locks.map(() => 0);
    const task = new AsyncLocalStorage<number>();
    const nest = async (number: number, from: number, level: number): Promise<void> => {
      // Always in the same order: this is about exclusion, not about deadlocks.
      const index = numbers.whole(from, locks.length - 1);
      const lock = locks[index]!;
      const mine = lock.depth() > 0;
      const body = async () => {
        assert.equal(task.getStore(), number);
        if (!mine) assert.equal(inside[index]!++, 0);
        if (numbers.next() < 0.5) await turn();
        if (level < 3) {
          if (numbers.next() < 0.5) await nest(number, index, level + 1);
          else await Promise.all([nest(number, index, level + 1), nest(number, index, 3)]);
        }
        assert.ok(lock.depth() > 0);
        if (!mine) assert.equal(inside[index]!--, 1);
      };
      if (numbers.next() < 0.5) return lock.runExclusive(body);
      using _ = await lock.acquire();
      await body();
    };
    await Promise.all(
      Array.from({ length: 60 }, (_, number) => task.run(number, () => nest(number, 0, 0))),
    );
    for (const lock of locks) assert.deepEqual([lock.locked(), lock.depth()], [false, 0]);
  });

  describe('among the tasks of a thread', () => {
    it('acquireSync() without timeout is a DeadlockError, with one it waits in vain', async () => {
      const name = freshName();
      const lock = open(name);
      await lock.runExclusive(async () => {
        assertInside(lock);
      });
      const guard = lock.acquireSync();
      assertThrows(() => lock.acquireSync(), 'DeadlockError', { kind: 'RLock', objectName: name });
      const began = performance.now();
      assertThrows(() => lock.acquireSync({ timeout: 70 }), 'TimeoutError');
      assert.ok(performance.now() - began >= 70);
      assertThrows(() => lock.acquireSync({ timeout: 0 }), 'TimeoutError');
      guard.release();
      assert.equal(lock.locked(), false);
    });

    it('first come, first served; a nested acquisition never stands behind them', async () => {
      const lock = open();
      const order: number[] = [];
      const guard = await lock.acquire();
      const waits = outside(() =>
        [0, 1, 2, 3].map((i) => lock.runExclusive(() => void order.push(i))),
      );
      assert.equal(lock.inspect().waiters, 4);
      const nested = await lock.acquire();
      assert.equal(lock.depth(), 2);
      nested.release();
      guard.release();
      // Free now, and yet promised to those who wait.
      waits.push(lock.runExclusive(() => void order.push(4)));
      await Promise.all(waits);
      assert.deepEqual(order, [0, 1, 2, 3, 4]);
    });

    it('a waiter that the holder aborts, or its own timeout, lets no other one in', async () => {
      const lock = open();
      const controller = new AbortController();
      let entered = 0;
      await lock.runExclusive(async () => {
        const waits = outside(() => [
          assert.rejects(lock.acquire({ signal: controller.signal }), { name: 'AbortError' }),
          assertRejects(lock.acquire({ timeout: 10 }), 'TimeoutError'),
          lock.runExclusive(() => void entered++),
        ]);
        // In the holder's context the queue is served again: it is not the holder who waits there.
        controller.abort();
        await Promise.all(waits.slice(0, 2));
        await twoSlices();
        assert.deepEqual([entered, lock.depth(), lock.inspect().waiters], [0, 1, 1]);
      });
      await until(() => entered === 1, 'the last one has it');
    });

    it('release(): the task’s own; a guard’s: from anywhere', async () => {
      const lock = open();
      let guard: Guard | undefined;
      await lock.acquire().then((taken) => {
        guard = taken;
        lock.tryAcquire();
        lock.release();
        assert.equal(lock.depth(), 1);
      });
      assertThrows(() => lock.release(), 'NotOwnerError', { kind: 'RLock' });
      guard!.release();
      assert.equal(lock.locked(), false);
      assertThrows(() => lock.release(), 'NotOwnerError');
      guard!.release();

      // Ended by release(): the guard has nothing any more, also when another task holds the lock.
      const early = await lock.acquire();
      lock.release();
      const other = lock.tryAcquire()!;
      assertThrows(() => early.release(), 'NotOwnerError');
      assert.equal(lock.locked(), true);
      other.release();
      await assertRejects(
        lock.runExclusive(() => lock.release()),
        'NotOwnerError',
      );
    });

    it('a task that ends without a release leaves it held', async () => {
      const lock = open();
      let kept: Guard | undefined;
      await (async () => {
        kept = await lock.acquire();
      })();
      await twoSlices();
      assertOutside(lock);
      const { locked, owner, abandoned } = lock.inspect();
      assert.deepEqual([locked, owner?.pid, abandoned], [true, process.pid, false]);
      kept!.release();
      assert.equal(lock.locked(), false);
    });

    it('a task may acquire again and again: what it held before is forgotten', async () => {
      const [lock, other] = [open(), open()];
      for (let round = 0; round < 20_000; round++) {
        using guard = await lock.acquire();
        if (round % 2) await other.runExclusive(() => {});
        assert.equal(guard.abandoned, false);
      }
      assert.deepEqual([lock.locked(), lock.depth(), other.locked()], [false, 0, false]);
    });

    it('runExclusive() releases and rejects when the function throws', async () => {
      const lock = open();
      const reason = new Error('inside');
      const bodies = [
        () => {
          throw reason;
        },
        async () => {
          await turn();
          throw reason;
        },
      ];
      for (const body of bodies) {
        await assert.rejects(lock.runExclusive(body), (error) => error === reason);
        assert.equal(lock.locked(), false);
      }
      await assert.rejects(lock.runExclusive('no function' as never), TypeError);
      await assert.rejects(lock.acquire({ timeout: 'no' as never }), TypeError);
      await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), reason);
    });

    it('all handles of the thread are one lock; close() of one that holds is a HeldError', async () => {
      const name = freshName();
      const [one, two] = [open(name), open(name)];
      const guard = await one.acquire();
      await two.acquire();
      assert.deepEqual([one.depth(), two.depth()], [2, 2]);
      two.release();
      assertThrows(() => one.close(), 'HeldError');
      const wait = outside(() => two.acquire());
      const three = open(name);
      assert.equal(three.depth(), 1);
      three.close();
      three.close();
      await assertRejects(three.acquire(), 'ClosedError');
      await assertRejects(
        three.runExclusive(() => {}),
        'ClosedError',
      );
      assertThrows(() => three.depth(), 'ClosedError');
      guard.release();
      (await wait).release();
      const pending = one.tryAcquire()!;
      const rejected = assertRejects(two.acquire(), 'ClosedError');
      two.close();
      await rejected;
      pending.release();
      one.close();
    });
  });

  describe('scopes', () => {
    it('a wrong one is a TypeError before anything is touched', () => {
      const name = freshName();
      for (const scope of ['task', '', null, true, 1, {}]) {
        assert.throws(() => new RLock({ name, scope: scope as never }), TypeError);
      }
      assert.equal(
        list().some((entry) => entry.name === name),
        false,
      );
      assert.throws(() => attach({ holdfast: 'RLock', name, scope: 'task' } as never), TypeError);
      assert.throws(() => new RLock(null as never), TypeError);
    });

    it('the default is mixed', () => {
      const [lock, same] = [track(new RLock()), track(new RLock({ scope: 'mixed' }))];
      assert.deepEqual([lock.scope, same.scope], ['mixed', 'mixed']);
      assert.deepEqual(lock.toJSON(), { holdfast: 'RLock', name: lock.name });
      lock.acquireSync();
      lock.acquireSync();
      assert.equal(lock.depth(), 2);
      lock.release();
      lock.release();
    });

    for (const [first, second] of [
      ['thread', 'async'],
      ['async', 'thread'],
    ] as const) {
      it(`a thread that has it open with '${first}' cannot open it with '${second}'`, async () => {
        const name = freshName();
        const lock = track(new RLock({ name, scope: first }));
        const about = { kind: 'RLock', objectName: name };
        const open = () => new RLock({ name, scope: second });
        assertThrows(open, 'IncompatibleError', about);
        const guard = lock.acquireSync();
        assertThrows(open, 'IncompatibleError', about);
        assert.equal(lock.tryAcquire() === null, first === 'async');
        if (first === 'thread') lock.release();
        guard.release();
        // Another thread is free to choose, and they exclude each other.
        const worker = await openIn('worker', { name, scope: second });
        const theirs = await worker.acquire();
        assert.equal(lock.tryAcquire(), null);
        await theirs.release();
        const again = track(new RLock({ name, scope: first }));
        lock.close();
        assertThrows(open, 'IncompatibleError', about);
        again.close();
        track(open()).acquireSync().release();
      });
    }

    it('a handle carries it', async () => {
      const lock = open(freshName());
      assert.deepEqual(lock.toJSON(), { holdfast: 'RLock', name: lock.name, scope: 'async' });
      const text = JSON.stringify({ lock });
      const copy = track(attach((JSON.parse(text) as { lock: RLockHandle }).lock));
      assert.equal(copy.scope, 'async');
      using _ = await lock.acquire();
      assert.equal(copy.depth(), 1);
    });

    it('as an argument of a Process it arrives with it', async () => {
      const { code, stderr, said } = await run('process-scope.mjs');
      assert.equal(stderr, '');
      assert.equal(code, 0);
      assert.deepEqual(said, [
        { where: 'child', scope: 'async', order: [1, 1, 2, 2] },
        { where: 'parent', exitCode: 0, depth: 1 },
      ]);
    });
  });

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

    it('wait() gives it up for other tasks, and has it again, as deep as before', async () => {
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

    it('who is not the holder may neither wait nor notify, whoever in the thread is', async () => {
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

    it('a timeout, too, ends with the same hold', async () => {
      const lock = open();
      const condition = over(lock);
      let other: Promise<Guard> | undefined;
      await lock.runExclusive(async (guard) => {
        const wait = assertRejects(condition.wait({ timeout: 10 }), 'TimeoutError');
        assert.equal(lock.depth(), 0);
        const theirs = outside(() => lock.tryAcquire())!;
        await twoSlices();
        assertOutside(lock);
        // Not this branch's, which waits for nothing: the hold that is waited with is elsewhere.
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

    it('its handle carries the scope of its lock', async () => {
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

        it('a thread blocked in acquireSync() has it when the task has released', async () => {
          const guard = await lock.acquire();
          const nested = await lock.acquire();
          const wait = other.acquireSync();
          await until(() => lock.inspect().waiters === 1, 'it blocks');
          guard.release();
          assert.equal(lock.depth(), 1);
          nested.release();
          await (await wait).release();
        });

        it('its end hands the lock to one task, which is told', async () => {
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
