// SIGKILL at any instant (INV-14): no item is lost by the death of its taker, and the first call
// after a death sets the counts right.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JoinableQueue, type Task } from 'holdfast';
import {
  type Actor,
  type Random,
  type RemoteObject,
  freshName,
  newProcess,
  now,
  random,
  scaled,
  temporaryDirectory,
  track,
  within,
} from '../support/index.js';

// The number that a busy machine can do in the time of a suite. HOLDFAST_TASKS=100000 sets another
// one.
const tasks = Number(process.env['HOLDFAST_TASKS'] || scaled(20_000));
const takers = 4;
const atOnce = 4;
const killEvery_ms = 50;
// Processes start more slowly than they are killed, so some stand by.
const most_ms = 30_000 + 3 * tasks;
const spares = 4 + Math.min(16, Math.floor(tasks / 10_000));
// HOLDFAST_KILLS sets another number.
const countedKills = Number(process.env['HOLDFAST_KILLS'] || scaled(10));

/** Processes that work items off. One at a time is killed, and one that stands by replaces it. */
class Takers {
  kills = 0;
  /** From then on no new process stands by. */
  areEnough = false;
  readonly #working: { actor: Actor; end: Promise<unknown> }[] = [];
  readonly #ready: { actor: Actor; remote: RemoteObject }[] = [];
  readonly #starting = new Set<Promise<void>>();
  #started = 0;
  #isOver = false;

  constructor(
    readonly queue: JoinableQueue<number>,
    readonly directory: string,
    readonly chance: Random,
  ) {}

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: takers + spares }, () => this.#standBy()));
    for (let i = 0; i < takers; i++) this.#putToWork();
  }

  /** Until end(). */
  async killInTurn(): Promise<void> {
    while (!this.#isOver) {
      await sleep(killEvery_ms - 10 + this.chance.next() * 20);
      const at = now() + this.chance.next();
      while (now() < at);
      if (this.#isOver || this.#ready.length === 0) continue;
      this.kills++;
      await this.#working.shift()!.actor.kill();
      this.#putToWork();
      if (this.areEnough) continue;
      const next = this.#standBy();
      next.catch(() => {});
      this.#starting.add(next);
      void next.finally(() => this.#starting.delete(next)).catch(() => {});
    }
    await Promise.all(this.#starting);
    await Promise.all(this.#ready.map(({ actor }) => actor.kill()));
  }

  end(): void {
    this.#isOver = true;
  }

  /** When the queue is ended. */
  async finish(): Promise<void> {
    await within(Promise.all(this.#working.map(({ end }) => end)), 'the takers');
  }

  async #standBy(): Promise<void> {
    const actor = await newProcess();
    const remote = await actor.make('JoinableQueue', { name: this.queue.name });
    this.#ready.push({ actor, remote });
  }

  #putToWork(): void {
    const { actor, remote } = this.#ready.shift()!;
    const number = ++this.#started;
    const file = path.join(this.directory, String(number));
    // One of them blocks its thread, and so has one item at a time.
    const form = number % takers === 0 ? 'sync' : 'async';
    const args = { queue: remote, file, atOnce: form === 'sync' ? 1 : atOnce, form };
    const end = actor.act('workOff', args, most_ms);
    end.catch(() => {});
    this.#working.push({ actor, end });
  }
}

/** Reads the ledgers of workOff(): pairs of an item's number and its count of deliveries. */
function readLedgers(directory: string) {
  const times = new Uint32Array(tasks);
  let entries = 0;
  let again = 0;
  let mostDeliveries = 0;
  for (const file of readdirSync(directory)) {
    const bytes = readFileSync(path.join(directory, file));
    assert.equal(bytes.length % 8, 0);
    for (let at = 0; at < bytes.length; at += 8, entries++) {
      times[bytes.readUInt32LE(at)]!++;
      const deliveries = bytes.readUInt32LE(at + 4);
      if (deliveries > 1) again++;
      mostDeliveries = Math.max(mostDeliveries, deliveries);
    }
  }
  return { times, twice: entries - tasks, again, mostDeliveries };
}

describe('JoinableQueue: kills', () => {
  it(`${tasks} tasks over ${takers} takers, one of which is killed every ${killEvery_ms} ms`, async function () {
    this.timeout(most_ms + 30_000);
    const chance = random('killed takers');
    const directory = temporaryDirectory();
    const queue = track(new JoinableQueue<number>({ name: freshName('tasks'), maxSize: 2000 }));
    const crew = new Takers(queue, directory, chance);
    await crew.start();
    const began = now();
    const killing = crew.killInTurn();
    killing.catch(() => {});

    for (let first = 0; first < tasks; first += 500) {
      const length = Math.min(500, tasks - first);
      const items = Array.from({ length }, (_, i) => first + i);
      await within(queue.putMany(items), `the items from ${first} on`, most_ms);
    }
    crew.areEnough = true;
    await within(queue.join(), 'join()', most_ms);
    const took = now() - began;
    assert.equal(queue.unfinished(), 0);
    crew.end();
    await within(killing, 'the last kill');
    queue.end();
    await crew.finish();

    const { kills } = crew;
    const { times, twice, again, mostDeliveries } = readLedgers(directory);
    const { puts, gets, leased, size, abandonments } = queue.inspect();
    console.log(
      `      ${tasks} tasks in ${(took / 1000).toFixed(1)} s, ${kills} kills, ` +
        `${abandonments} of them under the guard; ${again} done at a later delivery ` +
        `(number ${mostDeliveries} at most), ${twice} done twice`,
    );
    assert.ok(
      times.every((count) => count > 0),
      'each is done at least once',
    );
    // An item is done twice if its taker noted it in the ledger and was killed before done().
    assert.ok(twice <= kills * atOnce, `${twice} twice with ${kills} kills`);
    assert.deepEqual(
      { puts, gets, leased, size },
      { puts: tasks, gets: tasks, leased: 0, size: 0 },
    );
    assert.ok(kills > 0, `only ${kills} kills`);
  });

  it('the counts are right after a kill in the middle of a put, a lease or the end of a lease', async function () {
    this.timeout(90_000);
    const chance = random('counts after kills');
    const queue = track(new JoinableQueue<number>({ name: freshName('counts') }));
    const initial = 20;
    const kills = countedKills;
    for (let i = 0; i < initial; i++) queue.putSync(i);
    const start = async () => {
      const victim = await newProcess();
      return { victim, remote: await victim.make('JoinableQueue', { name: queue.name }) };
    };
    let next = start();
    for (let kill = 1; kill <= kills; kill++) {
      const { victim, remote } = await next;
      next = start();
      next.catch(() => {});
      await victim.act('churn', { queue: remote });
      await sleep(chance.next() * 10);
      const at = now() + chance.next();
      while (now() < at);
      await victim.kill();

      // The next call, by any thread, repairs the half-made change.
      queue.putSync(kill);
      const { size, leased, unfinished } = queue.inspect();
      const leases: Task<number>[] = [];
      for (;;) {
        const task = queue.tryTake();
        if (task === undefined) break;
        leases.push(task);
      }
      // An item that the victim had got without taskDone() is lost with the victim, and stays
      // unfinished. Each kill loses one item at most.
      const lost = unfinished - size - leased;
      assert.ok(lost >= 0 && lost <= kill, `kill ${kill}: ${lost} lost`);
      assert.equal(leases.length, size + leased, `kill ${kill}`);
      assert.ok(leased <= 1, `kill ${kill}: it leased one at a time`);
      const all = queue.inspect();
      assert.deepEqual([all.size, all.leased], [0, leases.length]);
      const places = leases.length;
      // Each kill loses one item at most: between done() and the next put.
      assert.ok(places <= initial + kill && places >= initial - 2 * kill + 1, `${places} items`);
      for (const task of leases) task.retry();
      const { size: back, leased: none } = queue.inspect();
      assert.deepEqual([back, none], [places, 0]);
    }
    await (await next).victim.kill();
    const { puts, gets, unfinished, abandonments } = queue.inspect();
    console.log(`      ${kills} kills, ${abandonments} of them under the guard; ${puts} puts`);
    // When all items are done, join() returns.
    const rest = unfinished - queue.size();
    for (let left = queue.size(); left > 0; left--) queue.takeSync({ timeout: 5000 }).done();
    for (let i = 0; i < rest; i++) queue.taskDone();
    queue.joinSync({ timeout: 5000 });
    assert.equal(queue.inspect().gets <= puts && gets <= puts, true);
    assert.equal(queue.inspect().bytes, 0);
  });
});
