// What an actor does in the suites of Condition, Barrier and JoinableQueue: see acts.mjs.
import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/** Actions of a Barrier, by name. */
export const actions = {
  nothing() {},
  fail() {
    throw new Error('the action failed');
  },
  async failLater() {
    await sleep(5);
    throw new Error('the action failed');
  },
  later: () => sleep(20),
  /** Until its thread is ended. */
  hang: () => new Promise(() => {}),
  block() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
};

const wordsOf = (host, memory) => new Int32Array(host.object(memory).buffer);

// ---------------------------------------------------------------- Condition

/** Adds one to word 0 for each wait that ends with a wake-up, and waits again, until the handle is closed. */
export function keepWaiting(host, { condition: id, memory, tasks }) {
  const condition = host.object(id);
  const words = wordsOf(host, memory);
  const one = async () => {
    for (;;) {
      const guard = await condition.acquire();
      try {
        await condition.wait();
        Atomics.add(words, 0, 1);
      } finally {
        guard.release();
      }
    }
  };
  for (let i = 0; i < tasks; i++) one().catch(() => {});
}

/** Notifies one to three until it is killed. */
export function keepNotifying(host, { condition: id }) {
  const condition = host.object(id);
  setImmediate(function burst() {
    for (let i = 0; i < 10; i++) {
      const guard = condition.acquireSync();
      condition.notify(1 + (i % 3));
      guard.release();
    }
    setTimeout(burst, 1);
  });
}

export function notifyOnce(host, { condition }) {
  const guard = host.object(condition).acquireSync();
  const notified = host.object(condition).notify();
  guard.release();
  return notified;
}

/** Notifies, and keeps the lock. */
export function notifyAndHold(host, { condition, count, all }) {
  const guard = host.object(condition).acquireSync();
  host.keptForEver = guard;
  return all ? host.object(condition).notifyAll() : host.object(condition).notify(count);
}

/** Enters that often, waits, and says how deep it is then; gives all of it back. */
export async function waitDeep(host, { condition: id, depth, form }) {
  const condition = host.object(id);
  const guards = [];
  for (let i = 0; i < depth; i++) guards.push(condition.acquireSync());
  if (form === 'sync') condition.waitSync();
  else await condition.wait();
  const after = condition.lock.depth();
  for (const guard of guards) guard.release();
  return { after, left: condition.lock.depth() };
}

/**
 * One wait that may end by itself at any instant. `how`: 'timeout' or 'abort', after `ms`; 'never'.
 * Resolves to 'woken' or 'gave up', with the lock released.
 */
export async function shortWait(host, { condition: id, how, ms, form }) {
  const condition = host.object(id);
  const guard = form === 'sync' ? condition.acquireSync() : await condition.acquire();
  const controller = new AbortController();
  try {
    if (form === 'sync') condition.waitSync({ timeout: ms });
    else if (how === 'timeout') await condition.wait({ timeout: ms });
    else {
      if (how === 'abort') setTimeout(() => controller.abort(), ms);
      await condition.wait({ signal: controller.signal });
    }
    return 'woken';
  } catch (error) {
    if (error.code !== 'ERR_HOLDFAST_TIMEOUT' && error.name !== 'AbortError') throw error;
    return 'gave up';
  } finally {
    guard.release(); // throws if the wait did not end with the lock
  }
}

/** Waits with the predicate "word 0 is at least `target`"; resolves to what the predicate returned. */
export async function waitForWord(host, { condition: id, memory, target, form, timeout }) {
  const condition = host.object(id);
  const words = wordsOf(host, memory);
  let calls = 0;
  const predicate = () => {
    calls++;
    return Atomics.load(words, 0) >= target && `reached ${target}`;
  };
  const guard = form === 'sync' ? condition.acquireSync() : await condition.acquire();
  try {
    const result =
      form === 'sync'
        ? condition.waitForSync(predicate, { timeout })
        : await condition.waitFor(predicate, { timeout });
    return { result, calls };
  } finally {
    guard.release();
  }
}

// ---------------------------------------------------------------- Barrier

/**
 * Passes the barrier `rounds` times. Word 0 counts arrivals in all: whoever has passed round r sees all
 * of that round's in it, and none of the round after next (not looked at without `parties`). Returns the index that it had each time.
 */
export async function passRounds(host, { barrier: id, memory, rounds, form, parties }) {
  const barrier = host.object(id);
  const words = wordsOf(host, memory);
  const indices = [];
  for (let round = 1; round <= rounds; round++) {
    Atomics.add(words, 0, 1);
    indices.push(form === 'sync' ? barrier.waitSync() : await barrier.wait());
    if (parties === undefined) continue;
    const arrived = Atomics.load(words, 0);
    if (arrived < round * parties || arrived > (round + 1) * parties) {
      throw new Error(`${arrived} arrivals after round ${round}`);
    }
  }
  return indices;
}

// ---------------------------------------------------------------- JoinableQueue

/**
 * Works off items, `atOnce` at a time, until the queue is ended. Each is noted in the ledger, with its
 * deliveries, before done(). Now and then one is given back.
 */
export async function workOff(host, { queue: id, file, atOnce, form }) {
  const queue = host.object(id);
  const ledger = openSync(file, 'a');
  const entry = Buffer.alloc(8);
  let taken = 0;
  const worker = async () => {
    try {
      for (;;) {
        const task = form === 'sync' ? queue.takeSync() : await queue.take();
        if (++taken % 97 === 0) {
          task.retry();
          continue;
        }
        // Leased for a while, so that a kill finds some.
        if (taken % 8 === 0) await sleep(1);
        else if (taken % 2 === 0) await turn();
        entry.writeUInt32LE(task.value, 0);
        entry.writeUInt32LE(task.deliveries, 4);
        writeSync(ledger, entry);
        task.done();
      }
    } catch (error) {
      if (error.code !== 'ERR_HOLDFAST_ENDED') throw error;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  closeSync(ledger);
}

/** Some items with get() and taskDone(), some with take() and done(): all of them worked off once. */
export async function workBothWays(host, { queue: id, seed }) {
  const queue = host.object(id);
  const items = [];
  for (let n = seed; ; n++) {
    try {
      if (n % 2 === 0) {
        items.push(await queue.get());
        queue.taskDone();
      } else {
        const task = await queue.take();
        items.push(task.value);
        task.done();
      }
    } catch (error) {
      if (error.code === 'ERR_HOLDFAST_ENDED') return items;
      throw error;
    }
  }
}

/** Puts, leases and settles without a pause until it is killed under the guard, or elsewhere. */
export function churn(host, { queue: id }) {
  const queue = host.object(id);
  setImmediate(function burst() {
    for (let i = 0; i < 200; i++) {
      const task = queue.tryTake();
      if (task === undefined) break;
      if (i % 3 === 0) {
        task.retry();
        continue;
      }
      task.done();
      queue.tryPut(task.value);
      if (i % 5 === 0 && (queue.tryGet() ?? -1) !== -1) {
        queue.taskDone();
        queue.tryPut(i);
      }
    }
    setImmediate(burst);
  });
}
