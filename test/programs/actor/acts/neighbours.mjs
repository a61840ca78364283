// What a process of another user or in another PID namespace is told to do. It has one object of
// each kind.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import * as holdfast from 'holdfast';

const make = {
  Lock: (name) => new holdfast.Lock({ name }),
  RLock: (name) => new holdfast.RLock({ name }),
  BoundedSemaphore: (name) => new holdfast.BoundedSemaphore(1, { name }),
  Queue: (name) => new holdfast.Queue({ name }),
  Semaphore: (name) => new holdfast.Semaphore(3, { name, persistent: true }),
};

const objects = new Map();
/** The object of a key: its kind (`Lock`), or its kind and more (`Lock:other`). */
const object = (key) => {
  if (!objects.has(key)) objects.set(key, make[key.split(':')[0]](key));
  return objects.get(key);
};
const guards = new Map();

const requests = {
  /** Makes sure that the object is open. It would go with its last user. */
  open: (key) => void object(key),
  /** 'held', 'abandoned', or 'busy' when the milliseconds have passed. */
  async acquire(key, ms = '0') {
    try {
      const guard = await object(key).acquire({ timeout: Number(ms) });
      guards.set(key, guard);
      return guard.abandoned ? 'abandoned' : 'held';
    } catch (error) {
      if (error instanceof holdfast.TimeoutError) return 'busy';
      throw error;
    }
  },
  release: (key) => guards.get(key).release(),
  put: (key, item) => object(key).putSync(item, { timeout: 10_000 }),
  get: (key) => object(key).getSync({ timeout: 10_000 }),
  list: () => holdfast.list().length,
  value: (key) => object(key).value(),
  unlink: (key) => object(key).unlink(),
  pid: () => process.pid,
  /** How it ends to open the file for writing, and to remove it. */
  spoil: (file) =>
    [() => closeSync(openSync(file, 'r+')), () => unlinkSync(file)].map(outcome).join(' '),
  /** How many descriptors of our files a program has that is started here. */
  inherited: () =>
    execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).split(
      process.env.HOLDFAST_DIR,
    ).length - 1,
  /** Loads what fork.c was compiled to; answers with the pid of the child. */
  fork(library, how) {
    process.env.FORK = how;
    try {
      process.dlopen({ exports: {} }, library);
    } catch {
      // It is no add-on, so loading it fails; by then it has forked.
    }
    return process.env.FORKED;
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

/** Does what `line` says, a word and its arguments. An error is an answer as well. */
export async function request({ line }) {
  const [what, ...args] = line.split(' ');
  try {
    return `${(await requests[what](...args)) ?? 'done'}`;
  } catch (error) {
    return `${error.name} ${error.message}`;
  }
}
