// The program that process-bootstrap.mjs was loaded into. It has no children of its own but one.
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
