// Opens objects and drops them. Prints the resources of the process before and after. Run it with
// --expose-gc.
//
//   drop-objects.mjs <kind> <rounds>
import { readFileSync, readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { BoundedSemaphore, Event, Lock, ReadWriteLock, SharedMemory } from 'holdfast';

const [kind, rounds] = process.argv.slice(2);
const directory = process.env.HOLDFAST_DIR;
const stays = new Lock({ name: 'stays' }); // the agent goes on

let made = 0;

const use = {
  BoundedSemaphore: (name) => new BoundedSemaphore(3, { name }).acquireSync().release(),
  ReadWriteLock(name) {
    const lock = new ReadWriteLock({ name });
    lock.acquireSharedSync().release();
    lock.acquireExclusiveSync().release();
  },
  Event: (name) => new Event({ name }).set(),
  SharedMemory(name) {
    const memory = new SharedMemory(5000, { name });
    new Uint8Array(memory.buffer).fill(1);
    // Two of four are closed. Then the mapping goes with the buffer.
    if (made++ % 4 < 2) memory.close();
  },
};

/** Call it without arguments, so that no object of a round stays on the stack. */
function round(i) {
  use[kind](i % 2 ? 'the same' : `number ${i}`);
}

async function collect() {
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await turn();
  }
}

function resources() {
  const linux = process.platform === 'linux';
  const maps = linux ? readFileSync('/proc/self/maps', 'utf8').split('\n') : [];
  return {
    files: readdirSync(directory).toSorted(),
    descriptors: linux ? readdirSync('/proc/self/fd').length : 0,
    mappings: maps.filter((line) => line.includes(directory) || line.includes('/sem.hf-')).length,
  };
}

for (let i = 0; i < 50; i++) round(i);
await collect();
const before = resources();
for (let i = 0; i < Number(rounds); i++) {
  round(i);
  // Finalizers run between turns.
  if (i % 50 === 49) await collect();
}
await collect();
const after = resources();
stays.close();
console.log(JSON.stringify({ before, after }));
