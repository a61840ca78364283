// Keeps a ReadWriteLock busy in one mode without a pause, by several tasks whose holds overlap,
// until it is killed.
//   read-write-load.mjs <name> <acquireShared|acquireExclusive> <tasks>
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadWriteLock } from 'holdfast';

const [name, method, tasks] = process.argv.slice(2);
const lock = new ReadWriteLock({ name });

async function task() {
  for (;;) {
    const guard = await lock[method]();
    await sleep(1);
    guard.release();
  }
}
for (let i = 0; i < Number(tasks); i++) void task();
writeSync(1, 'ready\n');
