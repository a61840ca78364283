// Opens managers, uses them and drops them. Prints the resources of the process before and after.
// Run it with --expose-gc.
//
//   drop-managers.mjs <rounds>
import { readFileSync, readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { LockManager } from 'holdfast';

const rounds = Number(process.argv[2]);
const directory = process.env.HOLDFAST_DIR;
const stays = new LockManager({ namespace: 'stays' });

async function round(i) {
  const namespace = i % 2 ? 'the same' : `number ${i}`;
  const manager = new LockManager({ namespace, maxRequests: 100 });
  manager.requestSync('sync', () => {});
  await manager.request('async', () => {});
  (await manager.acquire('acquired')).release();
}

async function collect() {
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await turn();
  }
}

/** Stops when nothing more is collected: the timer of a table ends at its next slice. */
async function resources() {
  const linux = process.platform === 'linux';
  await stays.request('a', () => {});
  for (let last = Infinity, now; ; last = now) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await collect();
    now = readdirSync(directory).length;
    if (now >= last) break;
  }
  const maps = linux ? readFileSync('/proc/self/maps', 'utf8').split('\n') : [];
  return {
    files: readdirSync(directory).toSorted(),
    descriptors: linux ? readdirSync('/proc/self/fd').length : 0,
    mappings: maps.filter((line) => line.includes(directory) || line.includes('/sem.hf-')).length,
  };
}

for (let i = 0; i < 50; i++) await round(i);
const before = await resources();
for (let i = 0; i < rounds; i++) {
  await round(i);
  if (i % 50 === 49) await collect();
}
const after = await resources();
stays.close();
console.log(JSON.stringify({ before, after }));
