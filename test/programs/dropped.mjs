// Holds a lock and waits for another one, although every JS object is dropped and collected. Only
// the event loop and the kernel know of both. Run it with --expose-gc.
import { setImmediate as turn } from 'node:timers/promises';
import { Lock, RLock } from 'holdfast';

const [kind, held, wanted] = process.argv.slice(2);
const Class = kind === 'RLock' ? RLock : Lock;

let collected = 0;
const registry = new FinalizationRegistry(() => collected++);

function hold() {
  const lock = new Class({ name: held });
  registry.register(lock);
  registry.register(lock.acquireSync());
  if (kind === 'RLock') lock.acquireSync();
}

function wait() {
  const lock = new Class({ name: wanted });
  registry.register(lock);
  void lock.acquire().then(() => console.log('acquired'));
}

hold();
wait();
for (let i = 0; i < 20; i++) {
  globalThis.gc();
  await turn();
}
console.log(`collected ${collected}`);
if (kind === 'RLock') console.log(`depth ${new RLock({ name: held }).depth()}`);
