// Two processes drain one queue, and get it right: the check and the get are one step under a Lock.
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, Process, Queue, Semaphore, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

export function drain(queue: Queue<number>, lock: Lock, start: Semaphore): void {
  start.acquireSync();
  let count = 0;
  for (;;) {
    using _guard = lock.acquireSync();
    if (queue.empty()) break;
    const digit = queue.getSync();
    count++;
    say(`${digit}`);
  }
  say(`child process ${currentProcess().name} processed ${count} items from the queue`);
}

if (parentProcess() === null) {
  using queue = new Queue<number>();
  using start = new Semaphore(0); // so that both begin together
  using lock = new Lock();
  for (let i = 0; i < 100; i++) queue.putSync(Math.floor(Math.random() * 10));
  const children = [1, 2].map(() => new Process(drain, { args: [queue, lock, start] }).start());
  while (start.inspect().waiters < 2) await sleep(5);
  start.release(2);
  for (const child of children) await child.join();
}
