// acquire(n): several permits at once. Two that want several never wait for each other, and who
// gives up or dies leaves nothing taken.
import assert from 'node:assert/strict';
import { type BoundedSemaphore, type Guard, type Semaphore, list } from 'holdfast';
import * as holdfast from 'holdfast';
import {
  assertAborts,
  assertRejects,
  assertThrows,
  assertTimesOut,
  freshName,
  newProcess,
  sharedActor,
  track,
  until,
  within,
} from '../support/index.js';

const kinds = ['Semaphore', 'BoundedSemaphore'] as const;
type Kind = (typeof kinds)[number];

function open(kind: Kind, permits: number, name = freshName(kind)): Semaphore | BoundedSemaphore {
  return track(new holdfast[kind](permits, { name }));
}

/** Ends an acquisition of `n` permits. */
function give(object: Semaphore | BoundedSemaphore, taken: Guard | void | boolean, n: number) {
  if (typeof taken === 'object') taken.release();
  else object.release.call(object as Semaphore, n);
}

describe('acquire(n)', () => {
  for (const kind of kinds) {
    it(`${kind}: takes all of them or none, in all forms`, async () => {
      const object = open(kind, 4);
      const three = await object.acquire(3);
      assert.equal(object.value(), 1);
      assert.ok(!object.tryAcquire(2));
      assert.equal(object.value(), 1);
      await assertTimesOut((options) => object.acquire(2, options), 20, { kind });
      await assertTimesOut((options) => object.acquireSync(2, options), 20, { kind });
      let stays: Promise<Guard | void> | undefined;
      await assertAborts(
        (options) => object.acquire(2, options),
        () => (stays = object.acquire(2)),
      );
      give(object, three, 3);
      give(object, await within(stays! as Promise<Guard>, 'two permits'), 2);
      assert.equal(object.value(), 4);
      give(object, object.acquireSync(4), 4);
      const two = object.tryAcquire(2);
      assert.ok(two);
      assert.equal(object.value(), 2);
      give(object, two, 2);
      assert.equal(await object.withPermits(4, () => object.value()), 0);
      assert.equal(await object.withPermit(() => object.value()), 3);
      assert.equal(object.value(), 4);
      object.unlink();
      assert.deepEqual(list().filter((it) => it.name.startsWith(`line of ${kind} `)).length, 0);
    });

    it(`${kind}: those who want several never wait for each other`, async () => {
      const name = freshName(kind);
      const object = open(kind, 4, name);
      const there = await (await sharedActor('process')).open(kind, { name }, 4);
      const rounds = 20;
      const here = async () => {
        for (let i = 0; i < rounds; i++) give(object, await object.acquire(3), 3);
      };
      const far = async () => {
        for (let i = 0; i < rounds; i++) {
          if (kind === 'Semaphore') {
            await there.call('acquire', 3);
            await there.release(3);
          } else {
            const kept = await there.keep('acquire', 3);
            await kept.remote.call('release');
          }
        }
      };
      await within(Promise.all([here(), here(), far()]), 'all rounds');
      assert.equal(object.value(), 4);
    });

    it(`${kind}: a stream of single acquisitions does not starve it`, async () => {
      const object = open(kind, 3);
      let isOver = false;
      const single = async () => {
        while (!isOver) {
          const taken = await object.acquire();
          await new Promise((resolve) => setImmediate(resolve));
          give(object, taken, 1);
        }
      };
      const singles = [single(), single(), single(), single()];
      for (let i = 0; i < 3; i++) {
        give(object, await within(object.acquire(3) as Promise<Guard>, 'all permits'), 3);
      }
      isOver = true;
      await Promise.all(singles);
      assert.equal(object.value(), 3);
    });

    it(`${kind}: close() while it gathers gives everything back`, async () => {
      const object = open(kind, 2);
      const same = open(kind, 2, object.name);
      const taken = await same.acquire();
      const wait = object.acquire(2);
      await until(() => same.value() === 0, 'it has one of two');
      object.close();
      await assertRejects(wait as Promise<unknown>, 'ClosedError', { kind });
      give(same, taken, 1);
      assert.equal(same.value(), 2);
      give(same, same.acquireSync(2, { timeout: 1000 }), 2);
    });

    it(`${kind}: close() right after the call gives back what was free`, async () => {
      const object = open(kind, 2);
      const same = open(kind, 2, object.name);
      const taken = await same.acquire();
      const wait = object.acquire(2);
      object.close();
      await assertRejects(wait as Promise<unknown>, 'ClosedError', { kind });
      assert.equal(same.value(), 1);
      give(same, taken, 1);
      assert.equal(same.value(), 2);
    });

    it(`${kind}: wrong numbers are refused before anything is touched`, async () => {
      const object = open(kind, 2);
      for (const n of [0, -1, 1.5, NaN, 40_000]) {
        await assert.rejects(async () => object.acquire(n), RangeError);
        assert.throws(() => object.acquireSync(n), RangeError);
        assert.throws(() => object.tryAcquire(n), RangeError);
        await assert.rejects(async () => object.withPermits(n, () => {}), RangeError);
      }
      await assert.rejects(async () => object.acquire('2' as never), TypeError);
      await assert.rejects(async () => object.acquire(2, { timout: 1 } as object), TypeError);
      await assert.rejects(async () => object.withPermits(2, 1 as never), TypeError);
      assert.equal(object.value(), 2);
    });
  }

  it('BoundedSemaphore: more than there are, and a thread that has them all', () => {
    const object = open('BoundedSemaphore', 3);
    assert.throws(() => object.tryAcquire(4), RangeError);
    assert.throws(() => object.acquireSync(4), RangeError);
    const guard = object.acquireSync(2) as Guard;
    assertThrows(() => object.acquireSync(2), 'DeadlockError');
    assert.equal(object.value(), 1);
    guard.release();
    guard.release();
    assert.equal(object.value(), 3);
  });

  it('BoundedSemaphore: what a killed process had gathered comes back', async () => {
    const name = freshName();
    const object = open('BoundedSemaphore', 3, name) as BoundedSemaphore;
    const actor = await newProcess();
    const there = await actor.open('BoundedSemaphore', { name }, 3);
    const guard = object.acquireSync();
    void there.start('acquire', 3).catch(() => {});
    await until(() => object.value() === 0, 'it has two of three');
    const wait = object.acquire(2);
    await actor.kill();
    const both = await within(wait, 'the permits of the dead');
    assert.equal(both.abandoned, true);
    both.release();
    guard.release();
    assert.equal(object.value(), 3);
  });
});
