// 1,000 acquisitions wait for one lock, in four processes. Each is served once, in the order of its
// process. A release wakes one of them. Its cost does not grow with their number, and waiting costs
// next to nothing.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Actor,
  freshName,
  newProcess,
  ownedKinds,
  sharedActor,
  waiting,
  within,
} from '../support/index.js';

const processes = 4;

/** What the act `queueUp` returns. */
interface Served {
  order: number[];
  times: number[];
}
/** What the act `effort` returns: what the process has spent since it began to wait. */
interface Effort {
  tries: number;
  cpu_ms: number;
}

const effort = (actors: Actor[]) =>
  Promise.all(actors.map((actor) => actor.act<Effort>('effort', {})));
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

describe('many waiters', () => {
  const cases = ownedKinds.flatMap((kind) => [
    { kind, waitersEach: 25, idle_ms: 0 },
    { kind, waitersEach: 250, idle_ms: 5000 },
  ]);
  for (const { kind, waitersEach, idle_ms } of cases) {
    it(`${processes} x ${waitersEach} waiters for a ${kind}`, async function () {
      this.timeout(120_000);
      const name = freshName(kind);
      const witness = await (await sharedActor('thread')).open(kind, { name });
      const held = await witness.acquire();
      const actors = await Promise.all(Array.from({ length: processes }, () => newProcess()));
      const locks = await Promise.all(actors.map((it) => it.open(kind, { name })));
      const serving = actors.map((actor, i) => {
        const args = { object: locks[i]!, waiters: waitersEach };
        return actor.startAct<Served>('queueUp', args);
      });
      await Promise.all(serving.map(({ started }) => started));
      await waiting(witness, processes * waitersEach);

      const before = await effort(actors);
      await sleep(idle_ms);
      const after = await effort(actors);
      const idle = after.map(({ cpu_ms }, i) => (100 * (cpu_ms - before[i]!.cpu_ms)) / idle_ms);

      const { at: released } = await held.release();
      const served = await within(Promise.all(serving), 'serving all of them', 100_000);
      const done = await effort(actors);

      const inOrder = Array.from({ length: waitersEach }, (_, i) => i);
      for (const { order } of served) assert.deepEqual(order, inOrder);
      const { acquisitions, waiters, contentions } = await witness.inspect();
      assert.equal(waiters, 0);
      assert.equal(contentions, processes * waitersEach);
      // Neighbours in the queue of a thread may share one outermost hold of an RLock.
      if (kind === 'Lock') assert.equal(acquisitions, 1 + processes * waitersEach);

      const ms = Math.max(...served.flatMap(({ times }) => times)) - released;
      const tries = sum(done.map((it, i) => it.tries - after[i]!.tries)) / processes / waitersEach;
      console.log(
        `      served in ${ms.toFixed(0)} ms, ${((1000 * ms) / processes / waitersEach).toFixed(0)} us ` +
          `each, with ${tries.toFixed(2)} tries each`,
      );
      if (idle_ms > 0) {
        console.log(`      idle: ${idle.map((it) => it.toFixed(2)).join(', ')} % of a core`);
        for (const share of idle) assert.ok(share < 2, `${share} % while nothing happens`);
      }
      // A release costs one look of the waiter that is woken. The next one in its queue looks twice
      // and finds the lock taken. Each process adds a slice now and then. If each release woke all
      // waiters, it would be more than nine looks.
      assert.ok(tries < 5, `${tries} tries for each acquisition`);
    });
  }
});
