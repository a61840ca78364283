// Gets handles in one of several ways. It shows through the objects that they are the same ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { attach } from 'holdfast';

/** In a cluster worker, messages that come before anybody listens are lost. */
async function message() {
  const arrives = once(process, 'message');
  process.send('ready');
  return (await arrives)[0];
}

const transports = {
  message,
  environment: () => JSON.parse(process.env.HANDLES),
  argument: () => JSON.parse(process.argv[3]),
  workerData: () => workerData,
  postMessage: async () => (await once(parentPort, 'message'))[0],
};

const handles = await transports[process.argv[2]]();
const lock = attach(handles.lock);
const rlock = attach(handles.rlock);
const arrived = attach(handles.arrived);
for (const object of [lock, rlock]) {
  assert.equal(object.locked(), true);
  assert.equal(object.tryAcquire(), null);
  arrived.release();
}
for (const object of [lock, rlock, arrived]) object.close();
if (process.connected) process.disconnect();
