// A worker thread with a directory of its own, which opens something before the main thread does.
import { once } from 'node:events';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Lock, list } from 'holdfast';

const lock = isMainThread ? undefined : new Lock({ name: 'of the worker' });
if (isMainThread) {
  const env = { ...process.env, HOLDFAST_DIR: process.argv[2] };
  const worker = new Worker(new URL(import.meta.url), { env });
  const [theirs] = await once(worker, 'message');
  const mine = new Lock({ name: 'of the main thread' });
  const guard = mine.acquireSync();
  console.log(JSON.stringify([theirs, list().map(({ name }) => name)]));
  guard.release();
  worker.postMessage('end');
  await once(worker, 'exit');
  console.log(JSON.stringify(list().map(({ name }) => name)));
} else {
  parentPort.once('message', () => lock.close());
  parentPort.postMessage(list().map(({ name }) => name));
}
