// Pool: a worker that is killed or stopped at one access to shared memory after another, and the
// process that has the Pool.
// `npm run soak -- --pool` goes through all of them.
import assert from 'node:assert/strict';
import { playPoolOwner } from '../support/pool-owner.js';
import { type PoolPointsPlan, playPoolPoints } from '../support/pool-points.js';
import { random } from '../support/index.js';

const strides = { kill: 16, stop: 12 } as const;
const ownerStride = 80;

describe('Pool: kill points', function () {
  this.timeout(240_000);

  for (const how of ['kill', 'stop'] as const) {
    it(`a worker's ${how}: each task ends as its claim word says`, async () => {
      const stride = strides[how];
      const first = random(`pool points, ${how}`).whole(1, stride);
      const plan: PoolPointsPlan = { how, first, stride };
      const { faults, points } = await playPoolPoints(plan);
      console.log(`      ${points} points`);
      assert.deepEqual(faults, []);
      assert.ok(points >= Math.floor(40 / stride), String(points));
    });
  }

  it("the death of the pool's process: nothing stays, and another one starts at once", async () => {
    const first = random('pool owner').whole(1, ownerStride);
    const { faults, points } = await playPoolOwner({ first, stride: ownerStride });
    console.log(`      ${points} points`);
    assert.deepEqual(faults, []);
    assert.ok(points >= 2, String(points));
  });
});
