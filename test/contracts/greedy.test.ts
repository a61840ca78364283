// Nobody starves beside a greedy holder, which releases and takes it again at once (INV-23): each
// wait is served after a bounded number of the holder's acquisitions, those of a slice and a few.
import assert from 'node:assert/strict';
import { BoundedSemaphore, Lock, RLock, ReadWriteLock, Semaphore, SharedMemory } from 'holdfast';
import { freshName, newProcess, within } from '../support/index.js';

/** So long that a waiter which is woken at the release comes too late. */
const hold_ms = 5;
/** Above what fits into two slices, on a machine that runs other things between them. */
const bound = 200;
const waits = 3;

type Make = (
  name: string,
) => InstanceType<
  typeof Lock | typeof RLock | typeof BoundedSemaphore | typeof Semaphore | typeof ReadWriteLock
>;

interface Case {
  make: Make;
  greedy: string;
  waiting: string[];
}

const owned = { greedy: 'acquireSync', waiting: ['acquire', 'acquireSync'] };
const cases: Record<string, Case> = {
  Lock: { make: (name) => new Lock({ name }), ...owned },
  RLock: { make: (name) => new RLock({ name }), ...owned },
  BoundedSemaphore: { make: (name) => new BoundedSemaphore(1, { name }), ...owned },
  Semaphore: { make: (name) => new Semaphore(1, { name }), ...owned },
  ReadWriteLock: {
    make: (name) => new ReadWriteLock({ name }),
    greedy: 'acquireExclusiveSync',
    waiting: ['acquireExclusive', 'acquireExclusiveSync', 'acquireShared', 'acquireSharedSync'],
  },
};

describe('beside a greedy holder', () => {
  for (const [kind, { make, greedy, waiting }] of Object.entries(cases)) {
    for (const method of waiting) {
      it(`${kind}: ${method}() is served`, async function () {
        this.timeout(60_000);
        const object = make(freshName('greedy'));
        const words = new SharedMemory(8);
        const [stop, count] = [0, 1];
        const view = new Int32Array(words.buffer);
        const [holder, waiter] = await Promise.all([newProcess(), newProcess()]);
        const plan = {
          object: await holder.attach(object.toJSON()),
          words: await holder.attach(words.toJSON()),
          method: greedy,
          hold_ms,
          most: 20 * bound,
        };
        const remote = await waiter.attach(object.toJSON());
        const holding = holder.startAct('takeAgainAndAgain', plan);
        const passes: number[] = [];
        for (let i = 0; i < waits; i++) {
          const before = Atomics.load(view, count);
          const hold = await within(remote.begin(method), `${method}()`, 30_000);
          passes.push(Atomics.load(view, count) - before);
          await hold.release();
        }
        Atomics.store(view, stop, 1);
        await within(holding, 'the greedy holder');
        console.log(`        the holder acquired ${passes.join(', ')} times meanwhile`);
        for (const passed of passes) assert.ok(passed <= bound, `passed by ${passed} times`);
        for (const actor of [holder, waiter]) await actor.leave();
        object.close();
        words.close();
      });
    }
  }
});
