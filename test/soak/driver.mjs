// Drives the soak (scripts/soak.mjs): starts the players, disturbs them, and checks the counts in
// the end.
import { setTimeout as sleep } from 'node:timers/promises';
import * as hf from 'holdfast';
import { random } from '../programs/random.mjs';
import { endActors, newProcess } from '../support/actors.ts';
import { endWith } from '../support/verdict.ts';
import {
  arrived,
  began,
  kinds,
  ledger,
  lockNames,
  parties,
  permits,
  put,
  sections,
  words,
} from './layout.mjs';

const { minutes, seed, processes, platform } = JSON.parse(process.argv[2]);

const { below } = random(seed);
const violations = [];
const count = { kills: 0, stops: 0, terminations: 0 };

const witness = new hf.SharedMemory(ledger.length, { name: 'witness' });
const words32 = new Int32Array(witness.buffer, 0, words.end);
const bytes = new Uint8Array(witness.buffer);
// The driver keeps all objects open, so that none ends with its last player.
const objects = {
  lock: new hf.Lock({ name: 'lock' }),
  rlock: new hf.RLock({ name: 'rlock' }),
  bounded: new hf.BoundedSemaphore(permits, { name: 'bounded' }),
  readWrite: new hf.ReadWriteLock({ name: 'readWrite' }),
  conditionLock: new hf.Lock({ name: 'condition lock' }),
  memoryLock: new hf.Lock({ name: 'memory lock' }),
  memory: new hf.SharedMemory(1 << 16, { name: 'memory' }),
  event: new hf.Event({ name: 'event' }),
  barrier: new hf.Barrier(parties, { name: 'barrier' }),
  queue: new hf.Queue({ name: 'queue', maxSize: 500, maxBytes: 1 << 18 }),
  jobs: new hf.JoinableQueue({ name: 'jobs', maxSize: 500, maxBytes: 1 << 18 }),
  semaphore: new hf.Semaphore(0, { name: 'semaphore' }),
  manager: new hf.LockManager({ namespace: 'soak' }),
};
objects.condition = new hf.Condition(objects.conditionLock, { name: 'condition' });

const players = [];

/** Starts a process that plays in two seats: one for its main thread and one for its worker. */
function start(index, generation) {
  const player = { index, seat: 2 * index, workerSeat: 2 * index + 1, generation, stopped: false };
  for (const seat of [player.seat, player.workerSeat]) {
    for (const row of sections) Atomics.store(words32, words[row] + seat, 0);
    Atomics.store(words32, words.killed + seat, 0);
  }
  const { seat, workerSeat } = player;
  const plan = { seat, workerSeat, seed: seed + 1000 * index + generation };
  players[index] = player;
  player.started = (async () => {
    const actor = await newProcess({ acts: import.meta.resolve('./player.mjs') });
    player.actor = actor;
    // It plays until it is killed. Its error, or its end without one, is a failure.
    actor.startAct('play', plan).catch((error) => {
      if (!player.isKilled) violations.push(`player ${index}: ${error.stack}`);
    });
  })();
  player.started.catch((error) => {
    if (!closing) violations.push(`player ${index} did not start: ${error.stack}`);
  });
}

let closing = false;

async function kill(player) {
  await player.started;
  Atomics.store(words32, words.killed + player.seat, 1);
  Atomics.store(words32, words.killed + player.workerSeat, 1);
  player.isKilled = true;
  await player.actor.kill();
}

async function disturb() {
  const player = players[below(processes)];
  if (player.actor === undefined || player.stopped) return;
  const choice = below(10);
  if (choice < 5) {
    count.kills++;
    await kill(player);
    start(player.index, player.generation + 1);
  } else if (choice < 8) {
    count.stops++;
    player.stopped = true;
    player.actor.signal('SIGSTOP');
    setTimeout(() => {
      player.actor.signal('SIGCONT');
      player.stopped = false;
    }, below(300));
  } else {
    count.terminations++;
    player.actor.startAct('replaceWorker');
  }
}

/** Fails unless at least one operation of every kind has ended since the last call. */
const seen = new Int32Array(kinds.length);
function checkProgress() {
  kinds.forEach((kind, i) => {
    const now = Atomics.load(words32, words.progress + i);
    if (now === seen[i]) violations.push(`${kind}: no operation has ended for 20 s`);
    seen[i] = now;
  });
}

function settleAccounts() {
  const items = Math.min(Atomics.load(words32, words.nextItem), ledger.jobs - ledger.queue);
  const jobsPut = Math.min(Atomics.load(words32, words.nextJob), ledger.length - ledger.jobs);
  for (let item; (item = objects.queue.tryGet()) !== undefined; ) {
    const before = Atomics.add(bytes, ledger.queue + item.item, arrived);
    if (before >= arrived) violations.push(`queue: item ${item.item} arrived twice`);
  }
  let lost = 0;
  for (let i = 0; i < items; i++) {
    const state = bytes[ledger.queue + i];
    if ((state & put) !== 0 && state < arrived) lost++;
    if (state >= arrived && (state & began) === 0) violations.push(`queue: item ${i} from nowhere`);
  }
  // A kill or a termination in the middle of a get takes the item with it: one item for each
  // thread.
  const allowed = 2 * count.kills + count.terminations;
  if (lost > allowed) violations.push(`queue: ${lost} items lost by ${allowed} deaths`);

  for (let task; (task = objects.jobs.tryTake()) !== undefined; ) {
    Atomics.or(bytes, ledger.jobs + task.value.item, arrived);
    task.done();
  }
  let undone = 0;
  for (let i = 0; i < jobsPut; i++) {
    const state = bytes[ledger.jobs + i];
    if ((state & put) !== 0 && state < arrived) undone++;
  }
  if (undone > 0) violations.push(`jobs: ${undone} were put and never done`);
  const { unfinished, leased } = objects.jobs.inspect();
  if (unfinished !== 0 || leased !== 0) {
    violations.push(`jobs: ${unfinished} unfinished, ${leased} leased when all is done`);
  }
  return { items, lost, jobs: jobsPut };
}

/** When no player is left, every object can be had, and nothing is held. */
async function checkFree() {
  const { held, pending } = await objects.manager.query();
  if (held.length + pending.length > 0)
    violations.push(`manager: ${held.length} hold, ${pending.length} wait when nobody lives`);
  // Each name whose last holder was killed keeps that as news, and the table with it.
  for (const name of lockNames) objects.manager.requestSync(name, { timeout: 5000 }, () => {});
  objects.lock.acquireSync({ timeout: 5000 }).release();
  objects.rlock.acquireSync({ timeout: 5000 }).release();
  objects.conditionLock.acquireSync({ timeout: 5000 }).release();
  const guard = objects.memoryLock.acquireSync({ timeout: 5000 });
  const pair = new Float64Array(objects.memory.buffer);
  if (!guard.abandoned && pair[0] !== pair.at(-1))
    violations.push('memory: its words differ, and nobody was told of a death');
  guard.release();
  objects.readWrite.acquireExclusiveSync({ timeout: 5000 }).release();
  const all = Array.from({ length: permits }, () => objects.bounded.acquireSync({ timeout: 5000 }));
  for (const guard of all) guard.release();
  if (objects.bounded.value() !== permits)
    violations.push(`bounded: ${objects.bounded.value()} permits`);
  const { waiters } = objects.condition.inspect();
  if (waiters !== 0) violations.push(`condition: ${waiters} wait when nobody lives`);
}

console.log(`soak of ${minutes} min on ${platform}, ${processes} processes, --seed ${seed}`);
const stop = (signal) => {
  closing = true;
  void endActors();
  process.exit(signal === 'SIGINT' ? 130 : 143);
};
process.once('SIGINT', stop).once('SIGTERM', stop);

for (let index = 0; index < processes; index++) start(index, 0);
const deadline = performance.now() + minutes * 60_000;
let nextLook = performance.now() + 20_000;
while (performance.now() < deadline && violations.length === 0) {
  await sleep(10 + below(60));
  await disturb();
  if (performance.now() >= nextLook) {
    checkProgress();
    nextLook = performance.now() + 20_000;
  }
}
closing = true;
for (const player of players) await kill(player);
await sleep(100); // until the timers that continue players have found none

let accounts = { items: 0, lost: 0, jobs: 0 };
try {
  await checkFree();
  accounts = settleAccounts();
} catch (error) {
  violations.push(error.stack);
}
const done = Object.fromEntries(
  kinds.map((kind, i) => [kind, Atomics.load(words32, words.progress + i)]),
);
for (const object of Object.values(objects)) object.close();
witness.close();

endWith({ seed, ...count, ...accounts, operations: done }, violations);
