// A program without a guard: it does not ask whether it is the main module.
import { Process } from 'holdfast';

export function target() {
  console.log('"target ran"');
}

const child = new Process(target).start();
await child.join();
console.log(child.exitCode);
