// Adds to a number in shared memory without any lock, as a thread or as a process.
//   add-to-memory.mjs <memory> <rounds>, or the same as workerData
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { SharedMemory } from 'holdfast';

const [name, rounds] = isMainThread ? process.argv.slice(2) : workerData;
const memory = new SharedMemory(undefined, { name });
const words = new Int32Array(memory.buffer);
// No one begins before all are there.
Atomics.add(words, 1, 1);
while (Atomics.load(words, 2) === 0);
for (let i = 0; i < Number(rounds); i++) Atomics.add(words, 0, 1);
memory.close();
if (isMainThread) console.log('done');
else parentPort.postMessage('done');
