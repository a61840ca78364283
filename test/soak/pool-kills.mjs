// Runs many tasks in a Pool whose workers are killed, kills or stops a worker at each of its
// points, and kills the process that has a Pool at each of its own. Says what was wrong
// (scripts/soak.mjs --pool; test/support/pool-kills.ts, pool-points.ts and pool-owner.ts).
import { random } from '../programs/random.mjs';
import { playPoolKills } from '../support/pool-kills.ts';
import { playPoolOwner } from '../support/pool-owner.ts';
import { playPoolPoints } from '../support/pool-points.ts';
import { endWith } from '../support/verdict.ts';

const { seed, tasks } = JSON.parse(process.argv[2]);

const points = {};
const faults = [];
for (const how of ['stop', 'kill']) {
  const played = await playPoolPoints({ how, first: 1, stride: 1 });
  points[how] = played.points;
  faults.push(...played.faults);
  for (const place of played.missing) faults.push(`${how}: no point ${place}`);
}
const owner = await playPoolOwner({ first: 1 + (seed % 3), stride: 3 });
points.owner = owner.points;
faults.push(...owner.faults);
const plan = { tasks, every: 50, processes: 4, retries: 3 };
const { faults: ofKills, ...counts } = await playPoolKills(plan, random(seed));
faults.push(...ofKills);
endWith({ seed, tasks, ...counts, points, faults: faults.length }, faults);
