// Opens and closes objects thousands of times. Prints the resources of the process before and
// after, as one line of JSON. With `gc` it drops the objects instead of closing them (needs
// --expose-gc).
import { readFileSync, readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Lock, RLock, Semaphore } from 'holdfast';

const [how, rounds] = [process.argv[2], Number(process.argv[3])];
const directory = process.env.HOLDFAST_DIR;
const stays = new Lock({ name: 'stays' }); // the agent goes on

/** Call it without arguments, so that no object of a round stays on the stack. */
function round(i) {
  const name = i % 2 ? `the same ${i % 3}` : `number ${i}`;
  const object =
    i % 3 === 0
      ? new Lock({ name })
      : i % 3 === 1
        ? new RLock({ name })
        : new Semaphore(1, { name });
  const guard = object.tryAcquire();
  if (guard === true) object.release();
  else guard.release();
  if (how === 'close') object.close();
}

async function collect() {
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await turn();
  }
}

function resources() {
  const linux = process.platform === 'linux';
  const maps = linux ? readFileSync('/proc/self/maps', 'utf8').split('\n') : [];
  return {
    files: readdirSync(directory).toSorted(),
    descriptors: linux ? readdirSync('/proc/self/fd').length : 0,
    // Only the mappings of this package, because those of the heap come and go.
    mappings: maps.filter((line) => line.includes(directory) || line.includes('/sem.hf-')).length,
  };
}

// The first rounds fill the caches: of doorbells, of compiled code, of the collector.
for (let i = 0; i < 200; i++) round(i);
await collect();
const before = resources();
for (let i = 0; i < rounds; i++) {
  round(i);
  // Finalizers run between turns.
  if (how === 'gc' && i % 100 === 99) await collect();
}
await collect();
const after = resources();
stays.acquireSync().release();
console.log(JSON.stringify({ before, after }));
