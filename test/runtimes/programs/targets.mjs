// Targets of Processes.
import process from 'node:process';
import { currentProcess, parentProcess } from 'holdfast';

export function add(queue, first, second) {
  queue.putSync({
    sum: first + second,
    name: currentProcess().name,
    parent: parentProcess().pid,
  });
}

export function fail() {
  throw new RangeError('on purpose: a check looks at the exit code');
}

export function square(n) {
  return n * n;
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function exit(code) {
  process.exit(code);
}

export async function holdForEver(lock, event) {
  await lock.acquire();
  event.set();
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
}

export async function serve(inbox, outbox) {
  for await (const item of inbox) await outbox.put(item * 2);
}
