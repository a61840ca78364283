// What a process of another user, or in another PID namespace, can do. It has one object of each
// kind.
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
/** The object of that key. A key is a kind (`Lock`), or a kind and a word (`Lock:other`). */
const object = (key) => {
  if (!objects.has(key)) objects.set(key, make[key.split(':')[0]](key));
  return objects.get(key);
};
const guards = new Map();

const requests = {
  /** Makes sure that the object is open, because it ends with its last user. */
  open: (key) => void object(key),
  /** Returns 'held', 'abandoned', or 'busy' when the milliseconds have passed. */
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
  /** The results of opening the file for writing, and of removing it. */
  spoil: (file) =>
    [() => closeSync(openSync(file, 'r+')), () => unlinkSync(file)].map(outcome).join(' '),
  /** The number of descriptors of holdfast's files in a program that is started here. */
  inherited: () =>
    execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).split(
      process.env.HOLDFAST_DIR,
    ).length - 1,
  /** Loads the library that fork.c was compiled to, and returns the pid of the child. */
  fork(library, how) {
    process.env.FORK = how;
    try {
      process.dlopen({ exports: {} }, library);
    } catch {
      // It is not an add-on, so loading it fails. By then it has forked.
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

/** Does what `line` says, a word and its arguments. An error is an answer, too. */
export async function request({ line }) {
  const [what, ...args] = line.split(' ');
  try {
    return `${(await requests[what](...args)) ?? 'done'}`;
  } catch (error) {
    return `${error.name} ${error.message}`;
  }
}
