// Plays random programs that may deadlock, and says which of their waits ended wrongly
// (scripts/soak.mjs --deadlocks; test/support/deadlock-rounds.ts).
import { random } from '../programs/random.mjs';
import { playDeadlocks } from '../support/deadlock-rounds.ts';
import { endWith } from '../support/verdict.ts';

const { seed, programs } = JSON.parse(process.argv[2]);

// So many leave two processors idle half of the time. With more, the time to find a deadlock would
// be the time that a process waits for a processor.
const lanes = 3;
const { faults, ...counts } = await playDeadlocks(random(seed), programs, lanes);
endWith({ seed, ...counts, faults: faults.length }, faults);
