// From just before `new Process(...).start()` to the first thing that the target does.

import { setTimeout as sleep } from 'node:timers/promises';
import { Process, Queue, setStartMethod } from '../holdfast.mjs';

// Time for the idle children of the forkserver to be ready again, even on a busy machine.
const PAUSE_MS = 1000;

export function target(stamps) {
  stamps.putSync(process.hrtime.bigint());
}

if (process.argv[1] === import.meta.filename) await run(process.argv[2], Number(process.argv[3]));

async function run(variant, starts) {
  const [method, preload] = variant.split('-');
  if (method === 'forkserver') {
    setStartMethod(method, preload ? { preload: [import.meta.url] } : {});
  }
  const stamps = new Queue();
  const start = [];
  // The first is the warm-up.
  for (let i = 0; i <= starts; i++) {
    if (method === 'forkserver') await sleep(PAUSE_MS);
    const began = process.hrtime.bigint();
    const child = new Process(target, { args: [stamps] }).start();
    const ran = await stamps.get();
    await child.join();
    if (i > 0) start.push(Number(ran - began));
  }
  stamps.close();
  console.log(JSON.stringify({ start }));
}
