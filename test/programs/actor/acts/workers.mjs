// Acts that start workers inside the actor's own process.
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const program = (name) => new URL(`../../workers/${name}.mjs`, import.meta.url);

/** Starts a worker for each job: `program` says what it runs. Resolves when all are ready. */
export async function startWorkers({ jobs, program: name = 'holder' }) {
  const ready = (worker) => new Promise((resolve) => worker.once('message', resolve));
  const started = jobs.map((job) => new Worker(program(name), { workerData: job }));
  workers.push(...started);
  await Promise.all(started.map(ready));
}
const workers = [];

/** Returns at once, because a worker may take long. */
export function terminateWorkers() {
  for (const worker of workers.splice(0)) void worker.terminate();
}

/**
 * Has a worker use the directory `place`. Returns whether the directory still exists when the
 * worker has ended.
 */
export async function visit({ place }) {
  const worker = new Worker(program('visitor'), { workerData: place });
  const seen = new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const result = await seen;
  await ended;
  return { ...result, after: existsSync(place) };
}

/**
 * Starts that many workers, each of which runs crowd.mjs. Resolves to the number of workers that
 * were served.
 */
export async function crowd({ workers, ...workerData }) {
  const one = () =>
    new Promise((resolve, reject) => {
      let served = 0;
      new Worker(program('crowd'), { workerData })
        .on('message', () => served++)
        .on('error', reject)
        .on('exit', () => resolve(served));
    });
  const served = await Promise.all(Array.from({ length: workers }, one));
  return served.reduce((a, b) => a + b, 0);
}
