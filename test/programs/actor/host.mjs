// What every actor does, in a thread, worker or process: it makes objects, calls their methods and
// keeps what they return. A test sends it commands, each a plain object that travels by structured
// clone (test/support/actor.ts). No loader and no test framework runs in here, so that a host can
// be killed at any instruction.
import { createRequire } from 'node:module';
import * as holdfast from 'holdfast';
import { addon } from '../../../lib/native/load.js';
import { now } from '../clock.mjs';
import { acts } from './acts.mjs';
import { actions } from './acts/barrier.mjs';
import { codecs } from './codecs.mjs';

// The modules of the package read its numbers here at each use.
const enums = createRequire(import.meta.url)('../../../lib/native/enums.js');
const usualSlice_ms = enums.slice_ms;

/** When a blocking wait of this thread last looked by itself, once noteLooks() was called. */
let lookedAt;

export class Host {
  /** Objects, guards and tasks, each by the id of the command that made or returned it. */
  #kept = new Map();
  /** The controllers that abort pending calls, each by the id of its command. */
  #aborts = new Map();

  object(id) {
    const object = this.#kept.get(id);
    if (object === undefined) throw new Error(`no object ${id}`);
    return object;
  }

  abortController(id) {
    return this.#aborts.get(id);
  }

  // ---- commands: methods that ask() in test/support/actor.ts calls by name

  /** new holdfast[type](...args) */
  make({ id, type, args }) {
    const given = this.#resolve(args);
    // By thread unless the options say otherwise, because each command to a host runs in a task of
    // its own.
    if (type === 'RLock') given[0] = { scope: 'thread', ...given[0] };
    return this.#made(id, new (Reflect.get(holdfast, type))(...given));
  }

  attach({ id, handle }) {
    return this.#made(id, holdfast.attach(handle));
  }

  /**
   * Calls a method. If it returns a guard or a task, that is kept under the id of the command.
   *
   * `signal` adds a signal to the last argument: 'live' (the command `abort` aborts it) or
   * 'aborted' (before the call). `hold` keeps what a Semaphore returns, too, and answers with the
   * time of the acquisition.
   */
  call({ id, object: of, method, args, signal, hold }) {
    const object = this.object(of);
    const given = this.#resolve(args);
    if (signal) given.push({ ...given.pop(), signal: this.#signal(id, signal) });
    const result = object[method](...given);
    const keep = (value) => {
      if (!hold) return this.#keep(id, value);
      const isNone = method.startsWith('try') && (value === null || value === false);
      return isNone ? null : this.#hold(id, object, value);
    };
    if (typeof result?.then !== 'function') return keep(result);
    return result.then(keep).finally(() => this.#aborts.delete(id));
  }

  abort({ call, reason }) {
    this.#aborts.get(call)?.abort(Object.assign(new Error(reason), { code: reason }));
  }

  /** Releases what an acquisition returned. */
  release({ hold }) {
    const guard = this.object(hold);
    const at = now();
    guard.release();
    return { at };
  }

  /** Sets after how long asynchronous waits look by themselves, until the test ends. */
  lookEach({ ms }) {
    enums.slice_ms = ms;
  }

  /** Each hold of a blocking wait tells from now on when that wait last looked by itself. */
  noteLooks() {
    if (lookedAt !== undefined) return;
    lookedAt = 0;
    for (const operations of [addon.Lock, addon.RLock, addon.Semaphore]) {
      const { wait } = operations;
      operations.wait = (native, ms) => {
        lookedAt = now();
        return wait(native, ms);
      };
    }
  }

  /**
   * Runs a function of acts.mjs: work that has to happen in one turn of the event loop, or
   * thousands of times.
   */
  act({ name, args }) {
    return acts[name](this.#resolve(args), this);
  }

  list() {
    return holdfast.list();
  }

  unlinkName({ kind, name }) {
    holdfast.unlink(kind, name);
  }

  /** Releases and closes everything that can be, for the next test. */
  reset() {
    if (enums.slice_ms !== usualSlice_ms) {
      enums.slice_ms = usualSlice_ms;
      // It has the other slice. The next acquisition makes another one.
      const held = addon.kept.get('held');
      clearInterval(held.timer);
      held.timer = undefined;
    }
    for (const controller of this.#aborts.values()) controller.abort(new Error('reset'));
    // The newest first: a guard is newer than the object that it holds.
    for (const kept of [...this.#kept.values()].reverse()) giveBack(kept);
    this.#kept.clear();
  }

  exit({ code }) {
    process.exit(code);
  }

  /** Throws outside of every promise, so that no code catches it. */
  crash() {
    setImmediate(() => {
      throw new Error('crash on purpose');
    });
  }

  // ----

  /**
   * Some arguments cannot travel. `{ here: id }` stands for what is kept under that id. A string as
   * the option `codec` or `action` stands for the function of that name.
   */
  #resolve(args) {
    const one = (arg) => {
      const { here, codec, action } = Object(arg);
      if (here !== undefined) return this.object(here);
      if (Object.hasOwn(codecs, codec)) return { ...arg, codec: codecs[codec] };
      if (Object.hasOwn(actions, action)) return { ...arg, action: actions[action] };
      return arg;
    };
    if (Array.isArray(args)) return args.map(one);
    return Object.fromEntries(Object.entries(args).map(([key, arg]) => [key, one(arg)]));
  }

  #signal(id, state) {
    const controller = new AbortController();
    this.#aborts.set(id, controller);
    if (state === 'aborted') controller.abort(new Error('aborted before'));
    return controller.signal;
  }

  #made(id, object) {
    this.#kept.set(id, object);
    const posixName = object.posixName ?? ''; // an RLock has none
    return { name: object.name, posixName, handle: object.toJSON() };
  }

  #keep(id, value) {
    if (typeof Object(value)[Symbol.dispose] !== 'function') return value;
    this.#kept.set(id, value);
    const { abandoned, value: item, deliveries } = value;
    return { abandoned, value: item, deliveries };
  }

  #hold(id, object, value) {
    const at = now();
    // A Semaphore has no guards: its own release() gives the permit back.
    const guard = typeof value === 'object' ? value : { release: () => object.release() };
    this.#kept.set(id, guard);
    return { abandoned: guard.abandoned === true, at, looked: lookedAt };
  }
}

function giveBack(kept) {
  if (kept.close === undefined) {
    try {
      kept[Symbol.dispose]?.();
    } catch {
      // Another call has ended that hold, or its object is closed.
    }
    return;
  }
  try {
    kept.close();
  } catch (error) {
    if (!(error instanceof holdfast.HeldError)) throw error;
    do kept.release();
    while (kept.depth?.() > 0);
    kept.close();
  }
}

/** An error as plain data: structured clone would drop its code. */
export function packError(error) {
  if (!(error instanceof Error)) return { value: error };
  const { name, message, stack, code, errno, syscall, kind, objectName, cause } = error;
  const { done, items, bytes } = error; // of a batch, and of DecodeError
  const packed = {
    name,
    message,
    stack,
    code,
    errno,
    syscall,
    kind,
    objectName,
    done,
    items,
    bytes,
  };
  return { error: cause instanceof Error ? { ...packed, cause: packError(cause) } : packed };
}

/**
 * Runs one command and posts its answers. A command that may block its thread answers `started`
 * before it runs. An asynchronous call answers `started` after its synchronous part, in which it
 * enrols.
 */
export function serve(host, post, command) {
  const { id } = command;
  const isAsync = command.do === 'call' && !/^try|Sync$/.test(command.method);
  try {
    if (!isAsync) post({ id, started: true });
    const result = host[command.do](command);
    if (isAsync) post({ id, started: true });
    Promise.resolve(result).then(
      (value) => post({ id, value }),
      (error) => post({ id, failure: packError(error) }),
    );
  } catch (error) {
    post({ id, failure: packError(error) });
  }
}
