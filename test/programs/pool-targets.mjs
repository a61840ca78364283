// Functions that tests run in the workers of a Pool.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { HoldfastError, Queue } from 'holdfast';

export class OwnError extends RangeError {
  name = 'OwnError';
}

export const square = (n) => n * n;
export const nothing = () => {};
export const pid = () => process.pid;
export const echo = (...args) => args;
export const isSame = (a, b) => a === b;
export const variable = (name) => [process.env[name] ?? null, process.cwd(), process.execArgv];

export async function later(ms, value) {
  await sleep(ms);
  return value;
}

/** Blocks its thread until the event is set. */
export function waits(event, value) {
  event.waitSync({ timeout: 20_000 });
  return value;
}

export const fails = {
  own: () => new OwnError('own'),
  ours: () => new HoldfastError('ERR_HOLDFAST_X', 'ours'),
  caused: () => new TypeError('outer', { cause: new SyntaxError('inner') }),
  text: () => 'a text',
};

export function throws(how) {
  throw fails[how]();
}

export const returnsFunction = () => () => 1;

export function exits(code) {
  process.exit(code);
}

export function kills(signal = 'SIGKILL') {
  process.kill(process.pid, signal);
  return sleep(10_000);
}

/** Starts a process that keeps the channel of this one open, tells its pid, and ends. */
export function leavesChannel(child) {
  const stdio = ['ignore', 'ignore', 'ignore', 'inherit'];
  const { pid } = spawn('sleep', ['60'], { stdio, detached: true });
  child.value = pid;
  process.exit(6);
}

/** Kills its process so many times; the shared memory counts. */
export function killsFirst(memory, times) {
  const counts = new Int32Array(memory.buffer);
  if (Atomics.add(counts, 0, 1) < times) return kills();
  return 'survived';
}

export function makesQueue(item) {
  const queue = new Queue();
  queue.putSync(item);
  return queue;
}

export function putsInto(queue, item) {
  queue.putSync(item);
}

let initialized = 0;
export function initialize(value, queue) {
  initialized = value;
  queue?.putSync(process.pid);
}
export const initial = () => initialized;
export function initializeWrongly() {
  throw new OwnError('no initial value');
}

const hoard = [];
/** Takes memory outside the heap, and keeps it. */
export function hoards(bytes, ms = 0) {
  hoard.push(Buffer.alloc(bytes, 1));
  return sleep(ms, hoard.length);
}

export function settles(event) {
  if (event === null) return 'at once';
  event.waitSync({ timeout: 20_000 });
  return 'after the event';
}

function throwing(message) {
  throw new Error(message);
}

/** Values whose own code throws when somebody looks at them. */
export const awkward = {
  getterInError() {
    const get = () => throwing('from a getter');
    throw Object.defineProperty(new Error('its message'), 'more', { enumerable: true, get });
  },
  whenAwaited: () => new Proxy({}, { get: (_, key) => throwing(`from ${String(key)}`) }),
  /** An error that is its own cause, and that is in each other one of many. */
  circle() {
    const errors = Array.from({ length: 6 }, (_, i) => new Error(`number ${i}`));
    for (const [i, error] of errors.entries()) {
      Object.assign(error, { all: errors[5 - i], self: error, next: errors[i + 1], errors });
    }
    throw Object.assign(errors[0], { cause: errors[0] });
  },
  result: () => ({
    get more() {
      return throwing('from a getter');
    },
  }),
  shown() {
    throw { call() {}, [inspect.custom]: () => throwing('while it is shown') };
  },
  nullFromGetter: () => ({
    get more() {
      throw null;
    },
  }),
  getterOfMessage() {
    throw Object.defineProperty(new RangeError(), 'message', { get: () => throwing('no') });
  },
  getterOfStack() {
    throw Object.defineProperty(new RangeError('odd'), 'stack', { get: () => throwing('no') });
  },
  nameOfClass() {
    throw new (class extends RangeError {
      static name = { call() {} };
    })('odd');
  },
  privateName() {
    throw new (class Closer extends PrivateName {})('private');
  },
  inside: () => ({ list: [1, () => 1] }),
};

/** Its name cannot be read without its constructor. */
export class PrivateName extends Error {
  #name = 'of its own';
  get name() {
    return this.#name;
  }
}

export const isAwkward = (how) => awkward[how]();
