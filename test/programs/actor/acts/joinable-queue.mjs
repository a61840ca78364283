import { closeSync, openSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

/**
 * Does items, `atOnce` at a time, until the queue is ended. It notes each item in the ledger, with
 * its deliveries, before done(). Now and then it gives one back.
 */
export async function workOff({ queue, file, atOnce, form }) {
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
        // Leased for a while, so that a kill hits leased items.
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

/** Does items in a loop over tasks(). It hangs in the body of the loop at the item `hangAt`. */
export async function loopOverTasks({ queue, hangAt }) {
  const values = [];
  for await (const task of queue.tasks()) {
    if (task.value === hangAt) await new Promise(() => {});
    values.push(task.value);
    task.done();
  }
  return values;
}

/** Takes some items by get() and taskDone(), and some by take() and done(). Each is done once. */
export async function workBothWays({ queue, seed }) {
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

/**
 * Puts, leases and ends leases without a pause, until it is killed, inside the critical section or
 * outside.
 */
export function churn({ queue }) {
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
