// The program that process-bootstrap.mjs is loaded into. It starts one child of its own.
import { Process } from 'holdfast';
import { isMain, say } from './process-program.mjs';

export function work() {
  say('worked');
}

if (isMain(import.meta)) {
  const child = new Process(work, { name: 'work' }).start();
  await child.join();
  say(['done', child.exitCode]);
}
