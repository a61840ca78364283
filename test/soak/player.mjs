// One player of the soak: does one random operation after another on the objects that all share,
// and checks what it can see. These are acts of an actor (test/programs/actor/actor.mjs), driven by
// driver.mjs.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  LockManager,
  Queue,
  RLock,
  ReadWriteLock,
  Semaphore,
  SharedMemory,
  TimeoutError,
} from 'holdfast';
import {
  arrived,
  began,
  calmName,
  kinds,
  ledger,
  parties,
  permits,
  put,
  seats,
  sections,
  stolenNames,
  words,
} from './layout.mjs';
import { random } from '../programs/random.mjs';

let seat;
let below;
let fail;
const failed = new Promise((_, reject) => (fail = reject));

/** Ends the run. */
function violation(text) {
  fail(new Error(`seat ${seat}: ${text}`));
}

const witness = new SharedMemory(undefined, { name: 'witness' });
const words32 = new Int32Array(witness.buffer, 0, words.end);
const bytes = new Uint8Array(witness.buffer);

const lock = new Lock({ name: 'lock' });
const rlock = new RLock({ name: 'rlock', scope: 'thread' });
const bounded = new BoundedSemaphore(permits, { name: 'bounded' });
const readWrite = new ReadWriteLock({ name: 'readWrite' });
const conditionLock = new Lock({ name: 'condition lock' });
const condition = new Condition(conditionLock, { name: 'condition' });
const memoryLock = new Lock({ name: 'memory lock' });
const memory = new SharedMemory(1 << 16, { name: 'memory' });
const event = new Event({ name: 'event' });
const barrier = new Barrier(parties, { name: 'barrier' });
const queue = new Queue({ name: 'queue', maxSize: 500, maxBytes: 1 << 18 });
const jobs = new JoinableQueue({ name: 'jobs', maxSize: 500, maxBytes: 1 << 18 });
const semaphore = new Semaphore(0, { name: 'semaphore' });
const manager = new LockManager({ namespace: 'soak' });

const dead = (other) => Atomics.load(words32, words.killed + other) !== 0;

/** The other live seats whose word in a row is not 0, as [seat, state]. */
function inside(row) {
  const others = [];
  for (let other = 0; other < seats; other++) {
    const state = Atomics.load(words32, words[row] + other);
    if (state !== 0 && other !== seat && !dead(other)) others.push([other, state]);
  }
  return others;
}

/** Enters a section, and checks at its beginning and at its end who else is inside. */
function section(row, state, allowed) {
  const check = (when) => {
    const others = inside(row);
    // Read again, because a seat may have died between the two loads.
    if (!allowed(others) && !allowed(inside(row))) {
      violation(`${row}: ${when} as ${state} beside ${JSON.stringify(others)}`);
    }
  };
  Atomics.store(words32, words[row] + seat, state);
  check('entered');
  return () => {
    check('left');
    Atomics.store(words32, words[row] + seat, 0);
  };
}

const alone = (others) => others.length === 0;

function spin() {
  for (let i = below(2000); i > 0; i--) Atomics.load(words32, 0);
}

const sync = () => !isMainThread && below(2) === 0;
const patience = () => ({ timeout: 1 + below(below(4) === 0 ? 400 : 40) });

/** The result of an operation, or undefined if it timed out. */
async function within(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TimeoutError) return undefined;
    throw error;
  }
}

async function dawdle() {
  spin();
  if (below(4) === 0) await sleep(below(3));
}

async function held(row, acquire, state, allowed, work = dawdle) {
  const guard = await within(acquire);
  if (!guard) return;
  const leave = section(row, state, allowed);
  await work(guard);
  leave();
  guard.release();
}

/** A lock of a LockManager; undefined if it timed out, was aborted, stolen, or is not to be had. */
function acquireFrom(manager, name, mode, steal = false) {
  const signal = AbortSignal.timeout(1 + below(40));
  const ways = [{ ifAvailable: true }, patience(), { signal }, { signal }];
  const options = steal ? { steal } : { mode, ...ways[below(4)] };
  return manager.acquire(name, options).catch((error) => {
    const isStolen = error.code === 'ERR_HOLDFAST_STOLEN';
    if (!isStolen && error !== signal.reason && !(error instanceof TimeoutError)) throw error;
  });
}

/**
 * The first and the last word of the memory. They are unequal only while one is between the two, or
 * has died there.
 */
const pair = new Float64Array(memory.buffer);
async function change(guard) {
  const last = pair.length - 1;
  if (guard.abandoned) pair[last] = pair[0];
  else if (pair[0] !== pair[last]) violation(`memory: ${pair[0]} is not ${pair[last]}`);
  pair[0]++;
  await dawdle();
  pair[last]++;
}

const operations = {
  lock: () =>
    held(
      'lock',
      () =>
        sync()
          ? lock.acquireSync(patience())
          : below(5)
            ? lock.acquire(patience())
            : lock.tryAcquire(),
      2,
      alone,
    ),

  // Its owner is the thread, so only one of its tasks plays.
  async rlock() {
    const guard = await within(() =>
      sync() ? rlock.acquireSync(patience()) : rlock.acquire(patience()),
    );
    if (!guard) return;
    const leave = section('rlock', 2, alone);
    const nested = rlock.acquireSync();
    spin();
    nested.release();
    leave();
    guard.release();
  },

  bounded: () =>
    held(
      'bounded',
      () => (sync() ? bounded.acquireSync(patience()) : bounded.acquire(patience())),
      1,
      (others) => others.length < permits,
    ),

  readWrite: () =>
    below(4) === 0
      ? held(
          'readWrite',
          () =>
            sync()
              ? readWrite.acquireExclusiveSync(patience())
              : readWrite.acquireExclusive(patience()),
          2,
          alone,
        )
      : held(
          'readWrite',
          () =>
            sync() ? readWrite.acquireSharedSync(patience()) : readWrite.acquireShared(patience()),
          1,
          (others) => others.every(([, state]) => state === 1),
        ),

  memory: () =>
    held(
      'memory',
      () => (sync() ? memoryLock.acquireSync(patience()) : memoryLock.acquire(patience())),
      2,
      alone,
      change,
    ),

  request() {
    const mode = below(3) === 0 ? 'shared' : 'exclusive';
    const state = mode === 'shared' ? 1 : 2;
    const mayBeInside = (others) => others.every(([, other]) => state === 1 && other === 1);
    return held('request', () => acquireFrom(manager, calmName, mode), state, mayBeInside);
  },

  // Nobody is told in time that it was stolen from. So what is checked are the tokens of each name.
  async steal() {
    const name = stolenNames[below(stolenNames.length)];
    const lock = await acquireFrom(manager, name, 'exclusive', below(3) === 0);
    if (!lock) return;
    const again = lock.token;
    await dawdle();
    lock.release();
    const later = await acquireFrom(manager, name, 'exclusive');
    if (later && later.token <= again) violation(`steal: ${later.token} after ${again}`);
    later?.release();
  },

  async condition() {
    const guard = await within(() => conditionLock.acquire({ timeout: 2000 }));
    if (!guard) return;
    let leave = section('condition', 2, alone);
    const stock = () => words32[words.stock];
    if (below(2) === 0) {
      words32[words.stock] = Math.min(stock() + 1, 5);
      condition.notify();
    } else {
      while (stock() === 0) {
        leave();
        try {
          if (sync()) condition.waitSync(patience());
          else await condition.wait(patience());
          leave = section('condition', 2, alone);
        } catch (error) {
          leave = section('condition', 2, alone);
          if (error instanceof TimeoutError) break;
          throw error;
        }
      }
      if (stock() > 0) words32[words.stock] = stock() - 1;
    }
    leave();
    guard.release();
  },

  async event() {
    const choice = below(4);
    if (choice === 0) event.set();
    else if (choice === 1) event.clear();
    else await within(() => (sync() ? event.waitSync(patience()) : event.wait(patience())));
  },

  async barrier() {
    try {
      const index = sync()
        ? barrier.waitSync({ timeout: 200 })
        : await barrier.wait({ timeout: 200 });
      if (!(index >= 0 && index < parties)) violation(`barrier: index ${index}`);
    } catch (error) {
      if (!(error instanceof BrokenBarrierError) && !(error instanceof TimeoutError)) throw error;
      if (below(3) === 0) barrier.reset();
    }
  },

  async queue() {
    if (below(2) === 0) {
      const item = Atomics.add(words32, words.nextItem, 1);
      if (item >= ledger.jobs - ledger.queue) return;
      Atomics.or(bytes, ledger.queue + item, began);
      // Some are larger than the ring is at first.
      const payload = { item, filler: 'x'.repeat(below(below(50) === 0 ? 70_000 : 50)) };
      try {
        if (sync()) queue.putSync(payload, patience());
        else await queue.put(payload, patience());
      } catch (error) {
        if (error instanceof TimeoutError) return;
        throw error;
      }
      Atomics.or(bytes, ledger.queue + item, put);
    } else {
      const payload = await within(() =>
        sync() ? queue.getSync(patience()) : queue.get(patience()),
      );
      if (payload === undefined) return;
      const before = Atomics.add(bytes, ledger.queue + payload.item, arrived);
      if (before >= arrived) violation(`queue: item ${payload.item} arrived twice`);
      if ((before & began) === 0) violation(`queue: item ${payload.item} was never put`);
    }
  },

  async jobs() {
    if (below(2) === 0) {
      const item = Atomics.add(words32, words.nextJob, 1);
      if (item >= ledger.length - ledger.jobs) return;
      Atomics.or(bytes, ledger.jobs + item, began);
      try {
        await jobs.put({ item, filler: 'x'.repeat(below(50)) }, patience());
      } catch (error) {
        if (error instanceof TimeoutError) return;
        throw error;
      }
      Atomics.or(bytes, ledger.jobs + item, put);
    } else {
      const task = await within(() => (sync() ? jobs.takeSync(patience()) : jobs.take(patience())));
      if (task === undefined) return;
      spin();
      if (below(10) === 0) return task.retry();
      // It counts as done from here on, although a kill may still prevent done().
      Atomics.or(bytes, ledger.jobs + task.value.item, arrived);
      task.done();
    }
  },

  async semaphore() {
    if (below(2) === 0) {
      if (semaphore.value() < 50) semaphore.release();
    } else {
      await within(() =>
        sync() ? semaphore.acquireSync(patience()) : semaphore.acquire(patience()),
      );
    }
  },
};

async function playForEver(list) {
  for (;;) {
    const kind = list[below(list.length)];
    await operations[kind]();
    Atomics.add(words32, words.progress + kinds.indexOf(kind), 1);
    if (below(20) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

// A thread has one seat, so its sections must not overlap: only the first of its two tasks enters
// sections.
const others = kinds.filter((kind) => !sections.includes(kind));

let worker;
let hire;

/** Plays until it is killed, here and in a worker. Rejects with the first failure. */
export function play({ seed, workerSeat, ...plan }) {
  ({ seat } = plan);
  ({ below } = random(seed));
  if (isMainThread) {
    let hired = 0;
    hire = () => {
      Atomics.store(words32, words.killed + workerSeat, 0);
      worker = new Worker(new URL(import.meta.url), {
        workerData: { seat: workerSeat, seed: seed + 7919 * ++hired },
      });
      worker.seat = workerSeat;
      worker.on('error', fail);
    };
    process.on('disconnect', () => process.exit(0));
    hire();
  }
  return Promise.race([failed, playForEver(sections), playForEver(others)]);
}

let isReplacing = false;

/** Terminates the worker and starts another one in its seat. */
export async function replaceWorker() {
  if (isReplacing) return;
  isReplacing = true;
  // Only the worker's own thread knows the instant of its death.
  Atomics.store(words32, words.killed + worker.seat, 1);
  await worker.terminate();
  for (const row of sections) Atomics.store(words32, words[row] + worker.seat, 0);
  hire();
  isReplacing = false;
}

if (!isMainThread) await play(workerData);
