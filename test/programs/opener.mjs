// Opens, uses and closes objects of a few names, for ever, until it is killed at some instruction.
import { writeSync } from 'node:fs';
import { Lock, RLock, Semaphore } from 'holdfast';

const openers = [
  (name) => new Lock({ name: `Lock ${name}` }),
  (name) => new RLock({ name: `RLock ${name}` }),
  (name) => new Semaphore(1, { name: `Semaphore ${name}` }),
];
writeSync(1, 'ready\n');
for (let round = 0; ; round++) {
  const object = openers[round % 3](round % 2);
  const guard = object.tryAcquire();
  if (guard === true) object.release();
  else if (guard) guard.release();
  object.close();
}
