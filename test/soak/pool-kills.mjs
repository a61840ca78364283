// Runs many tasks in a Pool whose workers are killed, and says what was wrong
// (scripts/soak.mjs --pool; test/support/pool-kills.ts).
import { random } from '../programs/random.mjs';
import { playPoolKills } from '../support/pool-kills.ts';
import { endWith } from '../support/verdict.ts';

const { seed, tasks } = JSON.parse(process.argv[2]);

const plan = { tasks, every: 50, processes: 4, retries: 3 };
const { faults, ...counts } = await playPoolKills(plan, random(seed));
endWith({ seed, tasks, ...counts, faults: faults.length }, faults);
