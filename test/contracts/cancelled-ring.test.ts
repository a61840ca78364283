// A waiter that has been rung, but withdraws before it has read the ring, passes it on (INV-5:
// nobody else will be rung for that release). Otherwise the next one would sit there for a slice.
//
//   a        holds it
//   b, c     wait, in this order, each in its event loop
//   a        releases: takes b's entry out of the wait set, rings b
//   b        busy all the time, sees that its entry is gone, and withdraws
//   c        is rung by b
import assert from 'node:assert/strict';
import {
  allKinds,
  forEachCase,
  isFree,
  median,
  newActor,
  twoSlices,
  waiting,
} from '../support/index.js';

const rounds = 50;
const reasons = {
  abort: { message: 'aborted once rung' },
  timeout: { name: 'TimeoutError' },
  close: { name: 'ClosedError' },
};

describe('a ring for a waiter that is gone', () => {
  forEachCase(
    allKinds,
    (subject) => {
      for (const how of ['abort', 'timeout', 'close'] as const) {
        it(`is passed on when it ends by ${how}`, async function () {
          this.timeout(60_000);
          const { a, b, second, name } = await subject.open();
          const c = await (await newActor('process')).open(subject.kind, { name });
          const delays: number[] = [];
          for (let round = 0; round < rounds; round++) {
            const held = await a.acquire();
            // The one that is closed; the actor has b beside it.
            const once = how === 'close' ? await second.open(subject.kind, { name }) : b;
            const timeout = how === 'timeout' ? 8 : undefined;
            const rung = once.acquire(timeout ? { signal: 'live', timeout } : { signal: 'live' });
            await rung.started;
            const next = c.acquire();
            await next.started;

            const args = { object: once, acquisition: rung.id, how, others: 1, timeout };
            const busy = second.startAct<{ at: number }>('cancelOnceRung', args);
            await busy.started;
            await held.release();

            const withdrawn = await busy;
            const late = await rung.catch((error: Error) => {
              assert.ok(
                Object.entries(reasons[how]).every(([key, it]) => Reflect.get(error, key) === it),
              );
            });
            await late?.release();
            const hold = await next;
            // A thread that was busy may come by its bell before it comes by its timers.
            if (late && how === 'timeout') {
              await hold.release();
              continue;
            }
            assert.equal(late, undefined, 'it has withdrawn and did not acquire');
            delays.push(hold.at - withdrawn.at);
            assert.equal(hold.abandoned, false);
            await hold.release();
          }
          assert.ok(delays.length > rounds / 5, 'it happened at all');
          assert.ok(median(delays) < 10, `median ${median(delays)} ms`);
          assert.ok(await isFree(a));
        });
      }
    },
    ({ setting }) => setting.b === 'process',
  );

  // With nobody behind it, the lock is simply free: also after the slices of those who are gone.
  forEachCase(
    allKinds,
    (subject) => {
      it('leaves the lock free if nobody else waits', async () => {
        const { a, b, second } = await subject.open();
        const held = await a.acquire();
        const rung = b.acquire({ signal: 'live' });
        await waiting(a);
        const args = { object: b, acquisition: rung.id, how: 'abort', others: 0 };
        const busy = second.startAct('cancelOnceRung', args);
        await busy.started;
        await held.release();
        await busy;
        await assert.rejects(rung, reasons.abort);
        await twoSlices();
        assert.ok(await isFree(a));
        assert.equal((await a.inspect()).acquisitions, 1);
        assert.ok(await a.tryAcquire());
      });
    },
    ({ setting }) => setting.b !== 'thread',
  );
});
