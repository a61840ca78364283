// One process with one object of any kind, told what to do in lines: its answers are lines as well. For
// surroundings in which the actors' channel does not work: another user, another PID namespace.
import { createInterface } from 'node:readline';
import * as holdfast from 'holdfast';

const make = {
  Lock: (name) => new holdfast.Lock({ name }),
  RLock: (name) => new holdfast.RLock({ name }),
  BoundedSemaphore: (name) => new holdfast.BoundedSemaphore(1, { name }),
  Queue: (name) => new holdfast.Queue({ name }),
};

const objects = new Map();
const object = (kind) => {
  if (!objects.has(kind)) objects.set(kind, make[kind](`kin ${kind}`));
  return objects.get(kind);
};
const guards = new Map();

const commands = {
  /** Only makes sure that it is open: an object goes with its last user. */
  open: (kind) => void object(kind),
  /** 'held', 'abandoned', or 'busy' when the milliseconds have passed. */
  async acquire(kind, ms = '0') {
    try {
      const guard = await object(kind).acquire({ timeout: Number(ms) });
      guards.set(kind, guard);
      return guard.abandoned ? 'abandoned' : 'held';
    } catch (error) {
      if (error instanceof holdfast.TimeoutError) return 'busy';
      throw error;
    }
  },
  release: (kind) => guards.get(kind).release(),
  put: (kind, item) => object(kind).putSync(item, { timeout: 10_000 }),
  get: (kind) => object(kind).getSync({ timeout: 10_000 }),
  list: () => holdfast.list().length,
};

console.log(`ready ${process.pid}`);
let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...args] = line.split(' ');
  let answer;
  try {
    answer = await commands[command](...args);
  } catch (error) {
    answer = `${error.name} ${error.message}`;
  }
  console.log(`${++number}: ${answer ?? 'done'}`);
}
process.exit(0);
