// A release wakes a waiter: through the semaphore or mutex itself, or through its doorbell (INV-4).
// If a wake-up never came, the waiter would look again after 50 ms, and the test would see nothing.
// So the test measures the time as well, over many rounds. It asserts the median only, because a
// single round may be slow for any reason.
import assert from 'node:assert/strict';
import {
  type Hold,
  type RemoteObject,
  acquire,
  allKinds,
  forEachCase,
  forms,
  isFree,
  median,
  newActor,
  waiting,
} from '../support/index.js';

/** A waiter that is not woken looks again after 50 ms at the latest. */
const promptly_ms = 20;
const rounds = 50;

describe('hand-over', () => {
  forEachCase(allKinds, (subject) => {
    for (const form of subject.waits) {
      it(`a ${form} waiter is woken by the release`, async () => {
        const { a, b } = await subject.open();
        const delays: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const held = await a.acquire();
          const wait = acquire(b, form);
          await waiting(a);
          const released = await held.release();
          const hold = await wait;
          delays.push(hold.at - released.at);
          assert.equal(hold.abandoned, false);
          await hold.release();
        }
        assert.ok(median(delays) < promptly_ms, `median ${median(delays)} ms`);
        assert.ok(await isFree(a));
      });

      it(`a ${form} waiter is woken by release() of the object`, async () => {
        const { a, b } = await subject.open();
        await a.acquire();
        const wait = acquire(b, form);
        await waiting(a);
        await a.release();
        await (await wait).release();
        assert.ok(await isFree(a));
      });
    }
  });

  // A blocking waiter sleeps in the kernel or at its doorbell, an asynchronous one in the event
  // loop. A wake-up for one of them must not be lost to the other. The faster one gets the token.
  // The slower one wakes, too, and finds the object taken.
  forEachCase(
    allKinds,
    (subject) => {
      for (const [one, other] of [forms, forms.toReversed()]) {
        it(`between a ${one} and a ${other} waiter, back and forth`, async () => {
          const { a, b } = await subject.open();
          const first: Turn = [a, one!];
          const second: Turn = [b, other!];
          const witness = await (await newActor('worker')).open(subject.kind, { name: a.name });
          const delays = await takeTurns(witness, first, second);
          assert.ok(median(delays) < promptly_ms, `median ${median(delays)} ms`);
          assert.ok(await isFree(witness));
        });
      }

      it('a sync and an async waiter both get it, in either order', async () => {
        const { a, b } = await subject.open();
        const c = await (await newActor('worker')).open(subject.kind, { name: a.name });
        for (let round = 0; round < 20; round++) {
          const held = await c.acquire();
          const waits = [a.acquireSync(), b.acquire()];
          await waiting(c, 2);
          await held.release();
          // Each releases at once, without waiting for the other one.
          await Promise.all(waits.map(async (wait) => (await wait).release()));
          assert.ok(await isFree(c));
        }
      });
    },
    (subject) => !subject.sameThread && subject.setting.a !== 'thread',
  );
});

type Turn = [RemoteObject, 'sync' | 'async'];

/** The holder releases when the other one waits. Then it waits itself. */
async function takeTurns(witness: RemoteObject, first: Turn, second: Turn): Promise<number[]> {
  const delays: number[] = [];
  let held: Hold = await first[0].acquire();
  let [next, after] = [second, first];
  for (let round = 0; round < rounds; round++) {
    const wait = acquire(...next);
    await waiting(witness);
    const released = await held.release();
    held = await wait;
    delays.push(held.at - released.at);
    [next, after] = [after, next];
  }
  await held.release();
  return delays;
}
