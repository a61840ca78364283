// Plays random programs that may deadlock, and says which of their waits ended wrongly
// (scripts/soak.mjs --deadlocks; test/support/deadlock-rounds.ts).
import { random } from '../programs/random.mjs';
import { playDeadlocks } from '../support/deadlock-rounds.ts';
import { endWith } from '../support/verdict.ts';

const { seed, programs } = JSON.parse(process.argv[2]);

const { faults, ...counts } = await playDeadlocks(random(seed), programs, 6);
endWith({ seed, ...counts, faults: faults.length }, faults);
