// A LockManager while many names are held: what a request costs then, query(), and memory. The
// argument is how many.
//
//   pair, cpu        request and release of names near those that are held, in no order: time, and
//                    processor time
//   query            query() of all
//   shared           what the files of the shared memory grew by, per name
//   resident         what this process's resident memory grew by, per name: callbacks and promises
//                    of the requests, and the table

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { LockManager } from '../holdfast.mjs';

const held = Number(process.argv[2]);
const batch = 10_000;
const batches = 15;
const prime = 7919;

const manager = new LockManager({ namespace: 'bench' });

function weigh() {
  globalThis.gc();
  return { shared: sharedBytes(), resident: process.memoryUsage.rss() };
}

/** A file may have two names. */
function sharedBytes() {
  const blocks = new Map();
  for (const name of readdirSync(process.env.HOLDFAST_DIR)) {
    const facts = statSync(path.join(process.env.HOLDFAST_DIR, name));
    blocks.set(facts.ino, facts.blocks);
  }
  return [...blocks.values()].reduce((sum, each) => sum + 512 * each, 0);
}

async function pairs(count) {
  for (let i = 0; i < count; i++) await manager.request(`name ${(i * prime) % held}, beside`, none);
}
const none = () => {};

await pairs(2 * batch);
await manager.request('name', none); // the table has its first storage
const before = weigh();
const locks = [];
for (let i = 0; i < held; i++) locks.push(await manager.acquire(`name ${i}`));
const after = weigh();

const figures = { pair: [], cpu: [], query: [] };
for (let i = 0; i < batches; i++) {
  const start = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  await pairs(batch);
  const { user, system } = process.cpuUsage(cpu);
  figures.pair.push(Number(process.hrtime.bigint() - start) / batch);
  figures.cpu.push(((user + system) * 1000) / batch);
}
for (let i = 0; i < 5; i++) {
  const start = process.hrtime.bigint();
  const { length } = (await manager.query()).held;
  if (length !== held) throw new Error(`query() shows ${length} of ${held}`);
  figures.query.push(Number(process.hrtime.bigint() - start));
}
for (const what of ['shared', 'resident']) {
  figures[what] = [Math.max(0, after[what] - before[what]) / held];
}
console.log(JSON.stringify(figures));
process.exit();
