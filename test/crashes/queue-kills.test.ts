// SIGKILL at any instant (INV-12): producers and consumers are killed again and again, while others
// go on with the same queue. In the end the test compares the ledgers of all of them.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import type { Queue } from 'holdfast';
import {
  type Actor,
  type Random,
  newProcess,
  now,
  quantile,
  random,
  scaled,
  summary,
  temporaryDirectory,
  within,
} from '../support/index.js';
import { bytesStored, headerBytes, open } from '../support/queue.js';
import { type Role, audit } from './queue-ledgers.js';

// The number that a busy machine can do in the time of a suite. HOLDFAST_KILLS=500 sets another
// one.
const insisted = Number(process.env['HOLDFAST_KILLS'] || 0);
const kills = insisted || 500;
const fewestKills = insisted || scaled(20);
const killing_ms = insisted ? 500_000 : scaled(20_000);
const maxBytes = 2 ** 21;
const twoSlices_ms = 100;

/** What a survivor reports: the times without progress, each as two numbers, from and to. */
interface Progress {
  gaps: number[];
  until: number;
}

/** A process that puts or gets until it is killed or stopped, and writes its ledger. */
interface Worker {
  id: number;
  actor: Actor;
  progress: Promise<Progress>;
}

type Start = (role: Role, isVictim: boolean) => Promise<Worker>;

function starter(queue: Queue<Uint8Array>, directory: string, chance: Random): Start {
  let lastId = 0;
  return async (role, isVictim) => {
    const id = ++lastId;
    const actor = await newProcess();
    const args = {
      queue: await actor.attach(queue.toJSON()),
      producer: id,
      file: path.join(directory, `${role}.${id}`),
      seed: chance.whole(0, 2 ** 31),
      isVictim,
    };
    const act = role === 'producer' ? 'produceWithLedger' : 'consumeWithLedger';
    return { id, actor, progress: actor.startAct<Progress>(act, args) };
  };
}

/**
 * Kills one victim after the other, for the given time. The next one starts while its predecessor
 * works.
 */
async function killInTurn(role: Role, start: Start, chance: Random) {
  const deadline = now() + killing_ms;
  const times: number[] = [];
  const killed = new Set<number>();
  const startVictim = () => {
    const victim = start(role, true);
    victim.catch(() => {}); // its error is handled when its turn comes
    return victim;
  };
  let next = startVictim();
  for (let over = false; times.length < kills / 2 && !over; over = now() > deadline) {
    const victim = await next;
    next = startVictim();
    await sleep(chance.next() * 25);
    // Exact to the microsecond, not to the tick of the event loop.
    const end = now() + chance.next();
    while (now() < end);
    times.push(now());
    killed.add(victim.id);
    await victim.actor.kill();
  }
  const surplus = await next;
  killed.add(surplus.id);
  await surplus.actor.kill();
  return { times, killed };
}

/**
 * For each survivor and each kill, the longest time without progress that the kill fell into, or
 * that began within a slice after it.
 */
function standstills(progress: readonly Progress[], killTimes: readonly number[]): number[] {
  return progress.flatMap(({ gaps }) =>
    killTimes.map((at) => {
      let longest = 0;
      for (let i = 0; i < gaps.length; i += 2) {
        const [from, to] = [gaps[i]!, gaps[i + 1]!];
        if (to >= at && from <= at + twoSlices_ms / 2) longest = Math.max(longest, to - from);
      }
      return longest;
    }),
  );
}

describe('Queue: kills', () => {
  it(`up to ${kills} kills: nothing torn, twice, lost or stuck`, async function () {
    this.timeout(killing_ms + 60_000);
    const chance = random('kills');
    const directory = temporaryDirectory();
    const queue = open<Uint8Array>({ codec: 'buffer', maxBytes, maxSize: 200 });
    const start = starter(queue, directory, chance);
    const [producer, consumer] = [await start('producer', false), await start('consumer', false)];
    const startedAt = now();

    const [producers, consumers] = await Promise.all([
      killInTurn('producer', start, chance),
      killInTurn('consumer', start, chance),
    ]);
    const killTimes = [...producers.times, ...consumers.times];
    assert.ok(killTimes.length >= fewestKills, `only ${killTimes.length} kills in time`);
    const took = now() - startedAt;

    // The end: the producer stops, then the queue is ended and drained.
    await producer.actor.act('stopProducing');
    const producing = await within(producer.progress, 'stopping the producer');
    queue.end();
    const consuming = await within(consumer.progress, 'draining the queue');
    const { size, abandonments } = queue.inspect();
    const stored = bytesStored(queue);

    const { items, deliveries, unaccounted, unrecorded, late, faults } = audit(
      directory,
      producers.killed,
    );
    const lostWith = consumers.killed.size;
    const around = standstills([producing, consuming], killTimes);
    const above = around.filter((gap) => gap > twoSlices_ms).length;
    console.log(
      `      ${killTimes.length} kills in ${(took / 1000).toFixed(1)} s, ` +
        `${abandonments} of them under the guard; ${items} items put, ` +
        `${deliveries} deliveries recorded, ${unaccounted} went with ${lostWith} consumers, ` +
        `${late} came late, ` +
        `${unrecorded} came from producers killed after put\n` +
        `      longest standstill of a survivor around a kill: ${summary(around, 1)} ms; ` +
        `${above} of ${around.length} above ${twoSlices_ms} ms`,
    );

    assert.deepEqual(faults, { torn: 0, twice: 0, madeUp: 0, ledger: 0 });
    assert.equal(size, 0);
    // A consumer has one item in hand: it goes with it, or comes back and may be late.
    assert.ok(
      unaccounted + late <= lostWith,
      `${unaccounted} items lost and ${late} late with ${lostWith} killed consumers`,
    );
    assert.ok(stored <= maxBytes + headerBytes);
    assert.ok(items > 10 * killTimes.length, `only ${items} items: the survivors hardly worked`);
    // Two slices are promised, and printed above. On two cores, six processes and the starts of two
    // more also wait for a processor, so the limit here is larger. A process that is stuck would
    // stay stuck.
    assert.ok(quantile(around, 0.5) <= 10 * twoSlices_ms, 'half of the standstills');
    assert.ok(quantile(around, 1) <= 100 * twoSlices_ms, 'longest standstill');
  });
});
