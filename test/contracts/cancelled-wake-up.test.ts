// A waiter that was woken, but withdraws before it has read its doorbell, passes the wake-up on.
// INV-5: no other waiter is woken for that release, so without this the next one would wait for a
// slice. Here it has none: it would wait for ever.
//
//   a        holds it
//   b, c     wait, in this order, each in its event loop
//   a        releases: takes b's entry out of the wait set, wakes b
//   b        is busy all the time, sees that its entry is gone, and withdraws
//   c        is woken by b
import assert from 'node:assert/strict';
import {
  allKinds,
  forEachCase,
  isFree,
  looksOnlyIfWoken,
  newActor,
  twoSlices,
  waiting,
  within,
} from '../support/index.js';

const rounds = 20;
const reasons = {
  abort: { message: 'aborted once woken' },
  timeout: { name: 'TimeoutError' },
  close: { name: 'ClosedError' },
};

describe('the wake-up of a waiter that has withdrawn', () => {
  forEachCase(
    allKinds,
    (subject) => {
      for (const how of ['abort', 'timeout', 'close'] as const) {
        it(`is passed on when the wait ends by ${how}`, async function () {
          this.timeout(60_000);
          const { a, b, second, name } = await subject.open();
          const c = await (await newActor('process')).open(subject.kind, { name });
          // b does not look either. After 20 ms it would ask others to give way to it. Then c would
          // wait for b, which is busy until c has acquired.
          await Promise.all([second, c.actor].map(looksOnlyIfWoken));
          let passedOn = 0;
          for (let round = 0; round < rounds; round++) {
            const held = await a.acquire();
            // This object is closed in the end; the actor has b open as well.
            const once = how === 'close' ? await second.open(subject.kind, { name }) : b;
            const timeout = how === 'timeout' ? 8 : undefined;
            const woken = once.acquire(timeout ? { signal: 'live', timeout } : { signal: 'live' });
            await woken.started;
            const next = c.acquire();
            await next.started;

            const args = { object: once, acquisition: woken.id, how, others: 1, timeout };
            const busy = second.startAct('cancelOnceWoken', args);
            await busy.started;
            await held.release();

            await busy;
            const late = await woken.catch((error: Error) => {
              assert.ok(
                Object.entries(reasons[how]).every(([key, it]) => Reflect.get(error, key) === it),
              );
            });
            await late?.release();
            const hold = await within(next, 'being woken by the one that withdraws');
            // A thread that was busy may read its doorbell before it looks at its timers.
            if (late && how === 'timeout') {
              await hold.release();
              continue;
            }
            assert.equal(late, undefined, 'it has withdrawn and did not acquire');
            passedOn++;
            assert.equal(hold.abandoned, false);
            await hold.release();
          }
          assert.ok(passedOn > rounds / 5, 'it happened at all');
          assert.ok(await isFree(a));
        });
      }
    },
    ({ setting }) => setting.b === 'process',
  );

  // If no other waiter is left, the lock is free, and stays so for longer than two slices.
  forEachCase(
    allKinds,
    (subject) => {
      it('leaves the lock free if there is no other waiter', async () => {
        const { a, b, second } = await subject.open();
        const held = await a.acquire();
        const woken = b.acquire({ signal: 'live' });
        await waiting(a);
        const args = { object: b, acquisition: woken.id, how: 'abort', others: 0 };
        const busy = second.startAct('cancelOnceWoken', args);
        await busy.started;
        await held.release();
        await busy;
        await assert.rejects(woken, reasons.abort);
        await twoSlices();
        assert.ok(await isFree(a));
        assert.equal((await a.inspect()).acquisitions, 1);
        assert.ok(await a.tryAcquire());
      });
    },
    ({ setting }) => setting.b !== 'thread',
  );
});
