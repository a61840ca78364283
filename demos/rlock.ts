// The holder of an RLock can acquire it again. The parent acquires it first and keeps it for
// three seconds; each of two children then acquires it five times and releases it five times.
import { setTimeout as sleep } from 'node:timers/promises';
import { Process, RLock, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

export function nest(lock: RLock): void {
  for (let i = 0; i < 5; i++) {
    lock.acquireSync();
    say(`I am child process ${currentProcess().name}`);
  }
  for (let i = 0; i < 5; i++) lock.release();
}

if (parentProcess() === null) {
  using lock = new RLock();
  lock.acquireSync();
  const children = [1, 2].map(() => new Process(nest, { args: [lock] }).start());
  await sleep(3000);
  lock.release();
  for (const child of children) await child.join();
}
