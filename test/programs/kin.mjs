// One process with one object of any kind, told what to do in lines: its answers are lines as well. For
// surroundings in which the actors' channel does not work: another user, another PID namespace.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as holdfast from 'holdfast';

const make = {
  Lock: (name) => new holdfast.Lock({ name }),
  RLock: (name) => new holdfast.RLock({ name }),
  BoundedSemaphore: (name) => new holdfast.BoundedSemaphore(1, { name }),
  Queue: (name) => new holdfast.Queue({ name }),
  Semaphore: (name) => new holdfast.Semaphore(3, { name, persistent: true }),
};

const objects = new Map();
/** By its kind, or by its kind and more: `Lock:other`. */
const object = (key) => {
  if (!objects.has(key)) objects.set(key, make[key.split(':')[0]](`kin ${key}`));
  return objects.get(key);
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
  value: (kind) => object(kind).value(),
  unlink: (kind) => object(kind).unlink(),
  /** What opening the file to write into it, and taking it away, come to. */
  spoil: (file) =>
    [() => closeSync(openSync(file, 'r+')), () => unlinkSync(file)].map(outcome).join(' '),
  /** Descriptors of ours that a program which is started here has. */
  inherited: () =>
    execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).split(
      process.env.HOLDFAST_DIR,
    ).length - 1,
  /** Loads fork.c. */
  fork(library, how) {
    process.env.FORK = how;
    try {
      process.dlopen({ exports: {} }, library);
    } catch {
      // It is no add-on, and has done its work.
    }
  },
};

function outcome(work) {
  try {
    work();
    return 'done';
  } catch (error) {
    return error.code;
  }
}

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
