// Kills holders and requesters of named locks, and says what was wrong
// (scripts/soak.mjs --locks; test/support/lock-kills.ts).
import { random } from '../programs/random.mjs';
import { endActors } from '../support/actors.ts';
import { LockKills } from '../support/lock-kills.ts';
import { endWith } from '../support/verdict.ts';

const { seed, kills } = JSON.parse(process.argv[2]);

const { faults, ...counts } = await new LockKills(random(seed)).play(kills);
await endActors();
endWith({ seed, kills, ...counts, faults: faults.length }, faults);
