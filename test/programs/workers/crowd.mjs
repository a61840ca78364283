// A worker that adds to a number in a file, under a lock that many workers want, and then ends.
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { Lock } from 'holdfast';
import { add } from '../add.mjs';

const { name, rounds, file } = workerData;
const lock = new Lock({ name });
await add(lock, threadId % 2 ? 'sync' : 'async', rounds, file);
lock.close();
parentPort.postMessage('served');
