// A worker that acquires one lock, in the given form, and keeps it until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { Lock, RLock } from 'holdfast';

const { kind, name, form } = workerData;
const lock = kind === 'RLock' ? new RLock({ name }) : new Lock({ name });
parentPort.on('message', () => {}); // keeps its thread alive
parentPort.postMessage('ready');
// References that last, so that the garbage collector does not take them.
globalThis.kept = [lock, form === 'sync' ? lock.acquireSync() : await lock.acquire()];
