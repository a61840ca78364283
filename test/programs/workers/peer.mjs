// A worker that holds a permit for ever, and waits for an event for ever.
import { parentPort, workerData } from 'node:worker_threads';
import { BoundedSemaphore, Event } from 'holdfast';

const { permits, semaphore, event } = workerData;
const held = new BoundedSemaphore(permits, { name: semaphore });
const waited = new Event({ name: event });
// A reference that lasts, so that the garbage collector does not take it.
globalThis.kept = [held, held.acquireSync()];
for (let round = 0; ; round++) {
  const next = waited.wait();
  if (round === 0) parentPort.postMessage('ready');
  await next;
  waited.clear();
}
