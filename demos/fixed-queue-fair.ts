// The same as fixed-queue, and both processes get their share: each sleeps for 1 ms outside the
// lock in every round, so that the other can have it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, Process, Queue, cpuCount, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

/** Takes one item; returns undefined if there is none left. */
function take(queue: Queue<number>, lock: Lock): number | undefined {
  using _guard = lock.acquireSync();
  return queue.empty() ? undefined : queue.getSync();
}

export async function drain(queue: Queue<number>, lock: Lock): Promise<void> {
  let count = 0;
  for (let digit = take(queue, lock); digit !== undefined; digit = take(queue, lock)) {
    count++;
    say(`${digit}`);
    await sleep(1);
  }
  say(`child process ${currentProcess().name} processed ${count} items from the queue`);
}

if (parentProcess() === null) {
  say(`this machine has ${cpuCount()} CPUs`);
  using queue = new Queue<number>();
  using lock = new Lock();
  for (let i = 0; i < 100; i++) queue.putSync(Math.floor(Math.random() * 10));
  const children = [1, 2].map(() => new Process(drain, { args: [queue, lock] }).start());
  for (const child of children) await child.join();
}
