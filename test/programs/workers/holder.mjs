// A worker that acquires one lock, in the form that it is told, and keeps it until it is
// terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { Lock, RLock } from 'holdfast';

const { kind, name, form } = workerData;
const lock = kind === 'RLock' ? new RLock({ name }) : new Lock({ name });
parentPort.on('message', () => {}); // keeps its thread alive
parentPort.postMessage('ready');
// Referred to for ever, or the garbage collector might find them.
globalThis.kept = [lock, form === 'sync' ? lock.acquireSync() : await lock.acquire()];
