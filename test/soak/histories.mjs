// Plays histories of both kinds of queue for a time, and says which of them cannot be explained
// (scripts/soak.mjs --histories; test/support/history.ts).
import { random } from '../programs/random.mjs';
import { endActors } from '../support/actors.ts';
import { HistoryRounds } from '../support/history-rounds.ts';
import { endWith } from '../support/verdict.ts';

const { minutes, seed } = JSON.parse(process.argv[2]);

const chance = random(seed);
const kinds = [new HistoryRounds('Queue', chance), new HistoryRounds('JoinableQueue', chance)];
const deadline = performance.now() + minutes * 60_000;
while (performance.now() < deadline) {
  for (const rounds of kinds) await rounds.play();
}
for (const rounds of kinds) await rounds.end();
await endActors();

const faults = kinds.flatMap(({ played }) => played.faults);
const [Queue, JoinableQueue] = kinds.map(({ played }) => ({
  ...played,
  faults: played.faults.length,
}));
endWith({ seed, Queue, JoinableQueue }, faults);
