// Must show: eight processes add to one number in a file, reading and writing it in two steps. Half
// of them wait blocking, half in their event loops. Under the lock no addition is lost (INV-1).
import assert from 'node:assert/strict';
import { Counter, forms, freshName, newProcess, ownedKinds } from '../support/index.js';

const processes = 8;
const rounds = 50_000;

describe('counter', () => {
  for (const kind of ownedKinds) {
    it(`${processes} processes x ${rounds} increments under a ${kind}: none is lost`, async function () {
      this.timeout(180_000);
      const name = freshName(kind);
      const counter = new Counter();
      const actors = await Promise.all(Array.from({ length: processes }, () => newProcess()));
      const locks = await Promise.all(actors.map((it) => it.open(kind, { name })));
      const began = performance.now();
      const ends = await Promise.all(
        actors.map(async (actor, i) => {
          const args = { object: locks[i]!, form: forms[i % 2], rounds, file: counter.file };
          await actor.act('count', args, 170_000);
          return performance.now() - began;
        }),
      );
      const ms = performance.now() - began;
      const { acquisitions, contentions, abandonments } = await locks[0]!.inspect();
      console.log(
        `      ${processes * rounds} increments in ${ms.toFixed(0)} ms ` +
          `(${((1000 * ms) / processes / rounds).toFixed(1)} us each), ${contentions} had to wait; ` +
          `processes ended after ${Math.min(...ends).toFixed(0)} to ${Math.max(...ends).toFixed(0)} ms`,
      );
      assert.equal(counter.read(), processes * rounds);
      assert.deepEqual([acquisitions, abandonments], [processes * rounds, 0]);
    });
  }

  // The test can fail: without a lock additions are lost.
  it('without a lock some are lost', async () => {
    const counter = new Counter();
    const actors = await Promise.all([newProcess(), newProcess()]);
    // Each process has a lock of its own.
    const locks = await Promise.all(actors.map((actor) => actor.open('Lock')));
    // On a busy machine one process may end before the other one begins. Then the test tries again.
    let counted = 0;
    for (let attempt = 0; attempt < 50 && counter.read() === counted; attempt++) {
      await Promise.all(
        actors.map((actor, i) =>
          actor.act('count', { object: locks[i], form: 'sync', rounds, file: counter.file }),
        ),
      );
      counted += 2 * rounds;
    }
    assert.ok(counter.read() < counted, `${counter.read()} of ${counted}`);
  });
});
