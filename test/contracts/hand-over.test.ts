// A release wakes a waiter: through the semaphore or mutex itself, or through its doorbell (INV-4).
// If a wake-up never came, the waiter would look again after 50 ms, and the test would see nothing.
// So an asynchronous waiter does not look by itself here. A blocking one does; there the test plays
// rounds until enough of them show that it was woken.
import assert from 'node:assert/strict';
import {
  type Hold,
  type RemoteObject,
  acquire,
  allKinds,
  forEachCase,
  forms,
  isFree,
  leaveKernel,
  looksOnlyIfWoken,
  newActor,
  waiting,
  wasWoken,
  within,
} from '../support/index.js';

/** So often a waiter of each form has to be woken, and so many rounds may be played for that. */
const enough = 10;
const mostRounds = 300;

describe('hand-over', function () {
  this.timeout(120_000);
  forEachCase(allKinds, (subject) => {
    for (const form of subject.waits) {
      it(`a ${form} waiter is woken by the release`, async () => {
        const { a, b } = await subject.open();
        await looksOnlyIfWoken(b.actor);
        let woken = 0;
        for (let round = 0; woken < enough; round++) {
          assert.ok(round < mostRounds, `woken in ${woken} rounds only`);
          const held = await a.acquire();
          const wait = acquire(b, form);
          await waiting(a);
          await leaveKernel(form, round);
          const released = await held.release();
          const hold = await within(wait, 'being woken');
          if (wasWoken(hold, form, released.at)) woken++;
          assert.equal(hold.abandoned, false);
          await hold.release();
        }
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
          await takeTurns(witness, first, second);
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

/**
 * The holder releases when the other one waits. Then it waits itself. It goes on until each of them
 * was woken often enough.
 */
async function takeTurns(witness: RemoteObject, first: Turn, second: Turn): Promise<void> {
  for (const [{ actor }] of [first, second]) await looksOnlyIfWoken(actor);
  const woken = { async: 0, sync: 0 };
  let held: Hold = await first[0].acquire();
  let [next, after] = [second, first];
  for (let round = 0; Math.min(...Object.values(woken)) < enough; round++) {
    assert.ok(round < 2 * mostRounds, `woken: ${JSON.stringify(woken)}`);
    const [, form] = next;
    const wait = acquire(...next);
    await waiting(witness);
    await leaveKernel(form, round >> 1);
    const released = await held.release();
    held = await within(wait, 'being woken');
    if (wasWoken(held, form, released.at)) woken[form]++;
    [next, after] = [after, next];
  }
  await held.release();
}
