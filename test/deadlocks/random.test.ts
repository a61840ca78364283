// Random programs of some processes and locks: in each deadlock of theirs one wait ends,
// and no other wait ever does. `npm run soak -- --deadlocks 10000` plays more of them.
import assert from 'node:assert/strict';
import { platform, random, scaled } from '../support/index.js';
import { playDeadlocks } from '../support/deadlock-rounds.js';

describe('deadlocks: random programs', () => {
  if (platform !== 'linux') return; // it is the same code everywhere, and takes some seconds

  it('exactly those waits end that are in a deadlock, also beside kills', async function () {
    this.timeout(120_000);
    const dice = random('deadlocks');
    // Of twenty-four programs one in fifty times none has a deadlock.
    for (let round = 1, deadlocked = 0; deadlocked === 0; round++) {
      assert.ok(round < 6, 'no program had a deadlock');
      const { faults, ...counts } = await playDeadlocks(dice, scaled(72), 3);
      console.log(`      ${JSON.stringify(counts)}`);
      assert.deepEqual(faults, []);
      assert.ok(counts.deadlocked < counts.programs);
      deadlocked = counts.deadlocked;
    }
  });
});
