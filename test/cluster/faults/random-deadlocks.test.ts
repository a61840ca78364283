// Random programs that nest requests on PostgreSQL: a wait that ends with a DeadlockError was part
// of a circle, and no circle stays.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, DeadlockError, TimeoutError } from 'holdfast';
import { now, random, within } from '../../support/index.js';
import type { Random } from '../../support/random.js';
import { forEachServer, open, openBeside } from '../subjects.js';

/** Waits for a name, or holds it. `to`: when it ended. */
interface Span {
  readonly party: Party;
  readonly name: string;
  to: number | undefined;
}

/** One chain of nested requests. */
interface Party {
  readonly cluster: Cluster;
  readonly steps: readonly { name: string; pause: number; timeout: number | undefined }[];
}

/** All waits and holds of a program so far. */
interface Spans {
  readonly waits: Span[];
  readonly holds: Span[];
}

interface Verdict {
  deadlocks: number;
  readonly faults: string[];
}

const programs = 30;
const namesInProgram = 3;
const partiesInProgram = 4;
/** Some are longer than a wait that is told to the others. */
const pauses_ms = [0, 5, 100, 1200];
const timeouts_ms = [undefined, undefined, 1500];
/** The news that a wait is over comes later than its end in the server. */
const news_ms = 300;

function makeParty(dice: Random, program: number, clusters: readonly Cluster[]): Party {
  const names = Array.from({ length: namesInProgram }, (_, i) => `${program} ${i}`);
  const steps = Array.from({ length: dice.whole(2, 3) }, () => ({
    name: names.splice(dice.below(names.length), 1)[0]!,
    pause: dice.pick(pauses_ms),
    timeout: dice.pick(timeouts_ms),
  }));
  return { cluster: dice.pick(clusters), steps };
}

/** True if what the party waits for is held by one that waits, and so on, until that party. */
function isInCircle(party: Party, name: string, { waits, holds }: Spans): boolean {
  const at = now() - news_ms;
  const isThere = ({ to = Infinity }: Span): boolean => to > at;
  const seen = new Set<string>();
  const leadsBack = (wanted: string): boolean => {
    if (seen.has(wanted)) return false;
    seen.add(wanted);
    const holders = holds.filter((hold) => hold.name === wanted && isThere(hold));
    return holders.some(
      (hold) =>
        hold.party === party ||
        waits.some((wait) => wait.party === hold.party && isThere(wait) && leadsBack(wait.name)),
    );
  };
  return leadsBack(name);
}

/** Takes the names from that step on, each inside of the callback of the one before. */
async function take(party: Party, step: number, spans: Spans, verdict: Verdict): Promise<void> {
  const found = party.steps[step];
  if (found === undefined) return;
  const { name, pause, timeout } = found;
  const wait: Span = { party, name, to: undefined };
  spans.waits.push(wait);
  const got = party.cluster.locks.request(name, { timeout }, async () => {
    wait.to = now();
    const hold: Span = { party, name, to: undefined };
    spans.holds.push(hold);
    await sleep(pause);
    await take(party, step + 1, spans, verdict);
    hold.to = now();
  });
  try {
    await got;
  } catch (error) {
    if (error instanceof DeadlockError) {
      verdict.deadlocks++;
      if (!isInCircle(party, name, spans)) verdict.faults.push(error.message);
    } else if (!(error instanceof TimeoutError)) {
      verdict.faults.push(String(error));
    }
    wait.to = now();
  }
}

forEachServer('random programs', 'postgres', (subject) => {
  it('no deadlock is reported that is none, and none stays', async () => {
    const dice = random('random programs on PostgreSQL');
    const first = await open(subject);
    const clusters = [first, await openBeside(subject, first), await openBeside(subject, first)];
    const verdict: Verdict = { deadlocks: 0, faults: [] };
    const ends: Promise<void>[] = [];
    for (let program = 0; program < programs; program++) {
      const spans: Spans = { waits: [], holds: [] };
      for (let i = 0; i < partiesInProgram; i++) {
        ends.push(take(makeParty(dice, program, clusters), 0, spans, verdict));
      }
    }
    await within(Promise.all(ends), 'the end of all programs');
    assert.deepEqual(verdict.faults, []);
    assert.ok(verdict.deadlocks > 0, 'some of them have a deadlock');
  });
});
