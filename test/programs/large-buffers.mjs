// Gets Buffers of 1 MiB in rounds, lets the garbage collector free each round's at once, and prints
// how many page faults the later rounds cost, for each Buffer. Runs with --expose-gc.
import { setImmediate } from 'node:timers/promises';
import { Queue } from 'holdfast';

const each = 30;
const rounds = { warmUp: 2, measured: 2 };
const item = Buffer.alloc(1 << 20, 'x');
const queue = new Queue({ codec: 'buffer' });

async function play() {
  for (let i = 0; i < each; i++) {
    queue.putSync(item);
    queue.getSync();
  }
  globalThis.gc();
  globalThis.gc(); // begins when the memory that the first one found is free, by another thread
  await setImmediate();
}

for (let i = 0; i < rounds.warmUp; i++) await play();
const before = process.resourceUsage().minorPageFault;
for (let i = 0; i < rounds.measured; i++) await play();
const faults = process.resourceUsage().minorPageFault - before;
console.log(faults / (each * rounds.measured));
queue.close();
