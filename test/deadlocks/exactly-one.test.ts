// Detectors that look at the same moment: of each circle exactly one wait ends. All waits of a
// circle begin at once, so all of its threads find it at the same look.
import assert from 'node:assert/strict';
import { Event } from 'holdfast';
import {
  type Actor,
  type Call,
  freshName,
  platform,
  run,
  sharedActor,
  track,
  within,
} from '../support/index.js';

const circles = 50;

/** Each actor holds one lock of each circle, and wants that of the next actor. */
async function play(actors: readonly Actor[]): Promise<string[][]> {
  const names = actors.map(() => Array.from({ length: circles }, () => freshName()));
  const go = track(new Event());
  const parts: Call<string[]>[] = [];
  for (const [i, actor] of actors.entries()) {
    const held = track(new Event());
    const plan = {
      mine: names[i],
      next: names[(i + 1) % actors.length],
      held: await actor.attach(held.toJSON()),
      go: await actor.attach(go.toJSON()),
    };
    parts.push(actor.startAct('takePartInCircles', plan));
    await within(held.wait(), 'the holds of an actor');
  }
  go.set();
  return within(Promise.all(parts), 'the ends of all waits');
}

/** How many waits of each circle ended with a DeadlockError. */
function errorsOf(ends: readonly string[][]): number[] {
  return ends[0]!.map((_, i) => ends.filter((of) => of[i] === 'DeadlockError').length);
}

describe('deadlocks: two that look at the same moment', () => {
  if (platform !== 'linux') return; // it is the same code everywhere

  it('of each circle of processes, of threads, and of both exactly one wait ends', async () => {
    const [one, two] = [await sharedActor('process', 1), await sharedActor('process', 2)];
    const [three, four] = [await sharedActor('worker', 1), await sharedActor('worker', 2)];
    const all = await Promise.all([
      play([one, two]),
      play([three, four]),
      play([one, three, await sharedActor('thread')]),
    ]);
    for (const ends of all) {
      assert.deepEqual(
        errorsOf(ends),
        Array.from({ length: circles }, () => 1),
      );
      const others = ends.flat().filter((end) => end !== 'DeadlockError');
      assert.deepEqual([...new Set(others)], ['got both']);
    }
  });

  it('one that wrote while it was noted is noted at the next look', async () => {
    const { code, said, stderr } = await run('deadlock-unheard.mjs');
    assert.equal(code, 0, stderr);
    assert.deepEqual((said[0] as string[]).toSorted(), ['DeadlockError', 'got both']);
    assert.equal(said[1], true);
  });
});
