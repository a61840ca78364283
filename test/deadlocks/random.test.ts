// Random programs of some processes and locks: in each deadlock of theirs one wait ends,
// and no other wait ever does. `npm run soak -- --deadlocks 10000` plays more of them.
import assert from 'node:assert/strict';
import { platform, random, scaled } from '../support/index.js';
import { playDeadlocks } from '../support/deadlock-rounds.js';

describe('deadlocks: random programs', () => {
  if (platform !== 'linux') return; // it is the same code everywhere, and takes some seconds

  it('exactly those waits end that are in a deadlock, also beside kills', async function () {
    this.timeout(120_000);
    const { faults, ...counts } = await playDeadlocks(random('deadlocks'), scaled(72), 3);
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(faults, []);
    assert.ok(counts.deadlocked > 0 && counts.deadlocked < counts.programs);
  });
});
