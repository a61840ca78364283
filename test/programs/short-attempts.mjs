// Opens a Lock or ReadWriteLock, tries once and closes it, every 20 ms, until it has acquired it.
// Prints the number of attempts as one line of JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import * as holdfast from 'holdfast';

const [kind, name] = process.argv.slice(2);

function attempt() {
  const object = new holdfast[kind]({ name, mustExist: true });
  const guard = kind === 'Lock' ? object.tryAcquire() : object.tryAcquireExclusive();
  guard?.release();
  object.close();
  return guard !== null;
}

let attempts = 1;
while (!attempt()) {
  attempts++;
  await sleep(20);
}
console.log(JSON.stringify(attempts));
