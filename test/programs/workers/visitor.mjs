// A worker that opens and uses a lock, says what is in the directory, and ends.
import { readdirSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Lock } from 'holdfast';

const lock = new Lock({ name: 'visitor' });
lock.acquireSync().release();
parentPort.postMessage({ mode: statSync(workerData).mode, files: readdirSync(workerData) });
lock.close();
