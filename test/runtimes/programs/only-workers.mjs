// Loads the addon in worker threads only. When the last of them ends, it may be unloaded.
// Nothing may be called then that it had registered with the system.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

for (let round = 0; round < 2; round++) {
  const workerData = { act: 'openAndEnd', args: [] };
  const worker = new Worker(new URL('actor.mjs', import.meta.url), { workerData });
  await once(worker, 'exit');
  console.log(`started: ${spawnSync('true').status}`);
}
