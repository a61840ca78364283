// Runs one act in a process (lines on its standard streams) or in a worker thread (messages).
import process from 'node:process';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

const say = isMainThread ? (line) => console.log(line) : (line) => parentPort.postMessage(line);

/** The one line that an act is told. Nothing listens before it asks, so nothing keeps it alive. */
function told() {
  return new Promise((resolve) => {
    if (isMainThread) createInterface({ input: process.stdin }).once('line', resolve);
    else parentPort.once('message', resolve);
  });
}

const [name, args] = isMainThread
  ? [process.argv[2], JSON.parse(process.argv[3])]
  : [workerData.act, workerData.args];
if (name.endsWith('WithoutSlices')) {
  // Waits look again once a slice, which would hide a wake-up that does not arrive.
  const { default: timers } = await import('node:timers');
  timers.setInterval = () => timers.setTimeout(() => {}, 3_600_000);
}
const { acts } = await import('./acts.mjs');
await acts[name]({ say, told }, ...args);
