// When deadlocks are found, on the clock of a program that moves its time by itself.
import assert from 'node:assert/strict';
import { platform, run, temporaryDirectory } from '../support/index.js';

interface End {
  who: string;
  lasted: number;
  name: string;
}

async function endsOf(scenario: string): Promise<End[]> {
  const { code, said, stderr } = await run('deadlock-times.mjs', {
    args: [scenario],
    env: { HOLDFAST_DIR: temporaryDirectory() }, // nobody else locks it
  });
  assert.equal(code, 0, stderr);
  const ends = said[0] as End[];
  for (const { name } of ends) assert.equal(name, 'DeadlockError');
  return ends;
}

// A second until it is told, and two looks of two slices each until all have told it twice.
const soonest = 1200;
const slice = 50;

describe('deadlocks: how soon they are found', () => {
  if (platform !== 'linux') return; // it is the same code everywhere

  it('by a thread that dozes: when the wait has lasted for a second', async () => {
    const [end] = await endsOf('alone');
    assert.ok(end!.lasted >= soonest && end!.lasted <= soonest + slice, `${end!.lasted} ms`);
  });

  it('by a thread that looked less than two slices before: two slices later at most', async () => {
    const [end] = await endsOf('besideAnother');
    assert.ok(end!.lasted >= soonest && end!.lasted <= soonest + 2 * slice, `${end!.lasted} ms`);
  });

  it('one that is left of two with a wait in common: at the next look', async () => {
    const ends = await endsOf('inCommon');
    const who = ends.map((end) => end.who);
    assert.deepEqual(who, ['the younger reader', 'the older reader']);
    assert.equal(ends[1]!.lasted - ends[0]!.lasted, 2 * slice);
  });
});
