// Starts Processes in a worker thread.
import { Process } from 'holdfast';
import { isMainThread, Worker } from 'node:worker_threads';

export function target(word) {
  console.log(JSON.stringify(word));
}

if (!isMainThread) {
  try {
    new Process(target).start();
  } catch (error) {
    console.log(JSON.stringify([error.code, error.message]));
  }
  const child = new Process({ module: import.meta.url, export: 'target' }, { args: ['called'] });
  await child.start().join();
  console.log(JSON.stringify([child.name, child.exitCode]));
} else if (process.argv[1] === import.meta.filename) {
  console.log(JSON.stringify(new Process(target).name));
  new Worker(import.meta.filename);
}
