import { Event, Lock, Queue, RLock, Semaphore } from '../holdfast.mjs';
import { measure } from './objects.mjs';

const kinds = {
  lock: () => new Lock(),
  rlock: () => new RLock(),
  semaphore: () => new Semaphore(1),
  event: () => new Event(),
  queue: () => new Queue(),
};

const [kind, ...steps] = process.argv.slice(2);

// What the first object of a thread sets up, an agent and its doorbell, does not belong to the
// object.
const first = new Event();
measure(steps.map(Number), kinds[kind], (object) => object.close());
first.close();
