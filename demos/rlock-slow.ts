// The same as rlock, with 10 ms between a child's acquisitions. The children's lines never
// interleave: the first acquisition is not given up before the last release.
import { setTimeout as sleep } from 'node:timers/promises';
import { Process, RLock, currentProcess, parentProcess } from 'holdfast';
import { say } from './say.js';

export async function nest(lock: RLock): Promise<void> {
  for (let i = 0; i < 5; i++) {
    lock.acquireSync();
    say(`I am child process ${currentProcess().name}`);
    await sleep(10);
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
