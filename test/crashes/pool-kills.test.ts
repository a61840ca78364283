// Pool: workers that are killed again and again. `npm run soak -- --pool` runs 100,000 tasks.
import assert from 'node:assert/strict';
import { playPoolKills } from '../support/pool-kills.js';
import { random, scaled } from '../support/index.js';

describe('Pool: kills', () => {
  it('every result is right, none is lost and none comes twice', async function () {
    this.timeout(240_000);
    const plan = { tasks: scaled(1000), every: 50, processes: 3, retries: 20 };
    const { faults, ...counts } = await playPoolKills(plan, random('pool kills'));
    console.log(`      ${JSON.stringify(counts)}`);
    assert.deepEqual(faults, []);
    assert.equal(counts.results, plan.tasks);
  });
});
