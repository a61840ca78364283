// A wait ends with a TimeoutError after `timeout` milliseconds or more, never earlier. Then nothing
// was acquired, and nothing will be acquired later.
import assert from 'node:assert/strict';
import { Lock, RLock, Semaphore } from 'holdfast';
import {
  type Kind,
  acquire,
  allKinds,
  assertRejects,
  assertThrows,
  forEachCase,
  freshName,
  isFree,
  newActor,
  now,
  random,
  track,
  waiting,
} from '../support/index.js';

describe('timeout', () => {
  forEachCase(allKinds, (subject) => {
    for (const form of subject.waits) {
      it(`${form}: TimeoutError, and the lock stays the holder's`, async () => {
        const { a, b, name } = await subject.open();
        const held = await a.acquire();
        for (const timeout of [0, 1, 70]) {
          const about = { kind: subject.kind, objectName: name };
          await assertRejects(acquire(b, form, { timeout }), 'TimeoutError', about);
        }
        const { waiters, acquisitions } = await a.inspect();
        assert.deepEqual({ waiters, acquisitions }, { waiters: 0, acquisitions: 1 });
        assert.equal(await b.tryAcquire(), null);
        // The wait is over, so a release now leaves the lock free.
        await held.release();
        assert.ok(await isFree(b));
        assert.ok(await a.tryAcquire());
      });

      it(`${form}: 0 takes what is free and does not wait`, async () => {
        const { a, b } = await subject.open();
        const hold = await acquire(b, form, { timeout: 0 });
        await assertRejects(acquire(a, 'async', { timeout: 0 }), 'TimeoutError');
        await hold.release();
        const { contentions } = await a.inspect();
        assert.equal(contentions, 0, 'nobody has waited');
      });

      it(`${form}: has no effect once acquired`, async () => {
        const { a, b } = await subject.open();
        const held = await a.acquire();
        const wait = acquire(b, form, { timeout: 10_000 });
        await waiting(a);
        await held.release();
        const hold = await wait;
        assert.equal(await a.tryAcquire(), null);
        await hold.release();
        assert.ok(await isFree(a));
      });
    }
  });

  it('0 neither enters the queue nor waits for a turn of the event loop', async () => {
    const lock = track(new Lock());
    lock.acquireSync();
    const order: string[] = [];
    setImmediate(() => order.push('next turn'));
    const wait = lock.acquire({ timeout: 0 }).catch(() => order.push('rejected'));
    assert.equal(lock.inspect().waiters, 0);
    await wait;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, ['rejected', 'next turn']);
  });

  // Measured in the actor that waits, and asserted exactly: "timeout ms passed first" (errors.ts).
  describe('is never early', () => {
    const timeouts = [0.5, 1, 1.9, 3, 10.5, 20, 49.9, 50, 50.1, 75, 120];
    const openers = {
      Lock: (name: string) => new Lock({ name }),
      RLock: (name: string) => new RLock({ name }),
      Semaphore: (name: string) => new Semaphore(1, { name }),
    };

    async function heldElsewhere(kind: Kind) {
      const name = freshName(kind);
      const other = await (await newActor('worker')).open(kind, { name });
      await other.acquire();
      return openers[kind](name);
    }

    for (const kind of allKinds) {
      it(`${kind}.acquireSync()`, async () => {
        using lock = await heldElsewhere(kind);
        for (const timeout of timeouts) {
          const began = performance.now();
          assertThrows(() => lock.acquireSync({ timeout }), 'TimeoutError');
          const passed = performance.now() - began;
          assert.ok(passed >= timeout, `${passed} of ${timeout} ms`);
        }
      });

      it(`${kind}.acquire()`, async () => {
        using lock = await heldElsewhere(kind);
        const early: string[] = [];
        const wait = async (timeout: number) => {
          const began = performance.now();
          await assertRejects(lock.acquire({ timeout }), 'TimeoutError');
          const passed = performance.now() - began;
          if (passed < timeout) early.push(`${passed} of ${timeout} ms`);
        };
        // Several waits, which begin at different fractions of a millisecond, because timers count
        // whole ones.
        for (let round = 0; round < 5; round++) {
          const waits = timeouts.map((timeout) => wait(timeout));
          const spin = now() + 0.37 * round;
          while (now() < spin);
          await Promise.all([...waits, ...timeouts.map((timeout) => wait(timeout))]);
        }
        assert.deepEqual(early, []);
      });
    }
  });

  // A wait that times out during a hand-over either has the lock or has the error. With the error,
  // the lock went to another waiter or stayed free. So the counts must add up.
  it('at the moment of a release it either acquires or times out', async function () {
    this.timeout(60_000);
    const { next, whole, pick } = random('timeouts against releases');
    for (const kind of allKinds) {
      const name = freshName(kind);
      const holder = await (await newActor('worker')).open(kind, { name });
      const waiters = await Promise.all(
        (['worker', 'process'] as const).map(async (place) =>
          (await newActor(place)).open(kind, { name }),
        ),
      );
      let acquired = 0;
      for (let round = 0; round < 150; round++) {
        const held = await holder.acquire();
        acquired++;
        const timeout = whole(1, 6) + next();
        const waits = waiters.map(async (waiter) => {
          const form = pick(['sync', 'async'] as const);
          const hold = await acquire(waiter, form, { timeout }).catch((error: Error) => {
            assert.equal(error.name, 'TimeoutError');
            return null;
          });
          if (hold) acquired++;
          await hold?.release();
        });
        const releaseAt = now() + next() * timeout;
        while (now() < releaseAt);
        await held.release();
        await Promise.all(waits);
        assert.ok(await isFree(holder), `${kind} is free after round ${round}`);
      }
      assert.equal((await holder.inspect()).acquisitions, acquired, kind);
    }
  });
});
