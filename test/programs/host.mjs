// What an actor does, wherever it lives: opens objects, waits for them, holds them. A host is driven
// by commands, each a plain object that travels by structured clone; test/support/actor.ts sends them.
// In here is no loader and no test framework, so that a host can be killed at any instruction.
import * as holdfast from 'holdfast';
import * as acts from './acts.mjs';
import { now } from './clock.mjs';
import * as farActs from './far-acts.mjs';

const openers = {
  Lock: (options) => new holdfast.Lock(options),
  RLock: (options) => new holdfast.RLock(options),
  Semaphore: (options, initial) => new holdfast.Semaphore(initial, options),
  BoundedSemaphore: (options, permits) => new holdfast.BoundedSemaphore(permits, options),
  ReadWriteLock: (options) => new holdfast.ReadWriteLock(options),
  Event: (options) => new holdfast.Event(options),
  SharedMemory: (options, size) => new holdfast.SharedMemory(size, options),
};

const classes = {
  Lock: holdfast.Lock,
  RLock: holdfast.RLock,
  Condition: holdfast.Condition,
  Barrier: holdfast.Barrier,
  JoinableQueue: holdfast.JoinableQueue,
  SharedMemory: holdfast.SharedMemory,
};

const knownActs = { ...acts, ...farActs };

export class Host {
  #objects = new Map();
  #holds = new Map();
  #aborts = new Map();

  object(id) {
    const object = this.#objects.get(id);
    if (object === undefined) throw new Error(`no object ${id}`);
    return object;
  }

  controller(id) {
    return this.#aborts.get(id);
  }

  // ---- commands

  open({ object, kind, options, initial }) {
    return this.#keep(object, openers[kind](options, initial));
  }

  attach({ object, handle }) {
    return this.#keep(object, holdfast.attach(handle));
  }

  /**
   * An object of one of the classes above. An argument `{ here: id }` stands for an object of this host,
   * an option `action` for the function of that name.
   */
  make({ object, type, args }) {
    return this.#keep(object, new classes[type](...args.map((arg) => this.#given(arg))));
  }

  /** Calls any method. What it returns is kept if it can be called itself: a guard, or a task. */
  invoke({ object, method, args, keep, abortable }) {
    const given = [...args];
    const controller = new AbortController();
    if (abortable) {
      this.#aborts.set(keep, controller);
      given.push({ ...given.pop(), signal: controller.signal });
    }
    const result = this.object(object)[method](...given);
    if (typeof result?.then !== 'function') return this.#kept(keep, result);
    return result.then((value) => this.#kept(keep, value)).finally(() => this.#aborts.delete(keep));
  }

  /** `signal`: undefined, 'live' (see abort) or 'aborted' (before the call). */
  acquire({ object, hold, options, signal, method = 'acquire' }) {
    const controller = new AbortController();
    this.#aborts.set(hold, controller);
    if (signal === 'aborted') controller.abort(new Error('aborted before'));
    const wait = signal === undefined ? options : { ...options, signal: controller.signal };
    return this.object(object)
      [method](wait)
      .then((guard) => this.#hold(hold, object, guard))
      .finally(() => this.#aborts.delete(hold));
  }

  acquireSync({ object, hold, options, method = 'acquireSync' }) {
    return this.#hold(hold, object, this.object(object)[method](options));
  }

  tryAcquire({ object, hold, method = 'tryAcquire' }) {
    const guard = this.object(object)[method]();
    return guard === null || guard === false ? null : this.#hold(hold, object, guard);
  }

  abort({ hold, reason }) {
    this.#aborts.get(hold)?.abort(new Error(reason));
  }

  /** Releases through what the acquisition returned; a Semaphore has only its own release(). */
  releaseHold({ hold }) {
    const guard = this.#holds.get(hold);
    const at = now();
    guard.release();
    return { at };
  }

  /** Any method of an object that returns something that can be cloned. */
  call({ object, method, args }) {
    return this.object(object)[method](...args);
  }

  list() {
    return holdfast.list();
  }

  unlinkName({ kind, name }) {
    holdfast.unlink(kind, name);
  }

  /** A function of acts.mjs: what has to happen in one turn of the event loop, or thousands of times. */
  act({ name, args }) {
    return knownActs[name](this, args);
  }

  /** Gives back everything, as far as that is possible, for the next test. */
  reset() {
    for (const controller of this.#aborts.values()) controller.abort(new Error('reset'));
    // A ReadWriteLock has no release() of its own.
    for (const guard of this.#holds.values()) {
      try {
        if ('abandoned' in guard) guard.release();
      } catch {
        // Somebody else has ended that hold, or its handle is closed.
      }
    }
    // The newest first: what is held, then what it is held of.
    for (const object of [...this.#objects.values()].reverse()) {
      if (object[Symbol.dispose] && !object.close) {
        try {
          object[Symbol.dispose]();
        } catch {} // was ended otherwise
        continue;
      }
      try {
        object.close();
      } catch (error) {
        if (!(error instanceof holdfast.HeldError)) throw error;
        do object.release();
        while (object.depth?.() > 0);
        object.close();
      }
    }
    this.#objects.clear();
    this.#holds.clear();
  }

  exit({ code }) {
    process.exit(code);
  }

  /** From outside of any promise, so that nothing can catch it. */
  crash() {
    setImmediate(() => {
      throw new Error('crash on purpose');
    });
  }

  // ----

  #given(arg) {
    if (Object(arg).here !== undefined) return this.object(arg.here);
    if (Object(arg).action !== undefined) return { ...arg, action: farActs.actions[arg.action] };
    return arg;
  }

  #kept(id, value) {
    if (typeof Object(value)[Symbol.dispose] !== 'function') return value;
    this.#objects.set(id, value);
    const { abandoned, value: item, deliveries } = value;
    return { abandoned, value: item, deliveries };
  }

  #keep(id, object) {
    this.#objects.set(id, object);
    const posixName = object.posixName ?? ''; // an RLock has none
    return { name: object.name, posixName, handle: object.toJSON() };
  }

  #hold(id, object, result) {
    const at = now();
    const semaphore = this.object(object);
    const guard = typeof result === 'object' ? result : { release: () => semaphore.release() };
    this.#holds.set(id, guard);
    return { abandoned: guard.abandoned === true, at };
  }
}

/** An error as plain data: structured clone would drop its code. */
export function packError(error) {
  if (!(error instanceof Error)) return { value: error };
  const { name, message, stack, code, errno, syscall, kind, objectName, cause } = error;
  const packed = { name, message, stack, code, errno, syscall, kind, objectName };
  return { error: cause instanceof Error ? { ...packed, cause: packError(cause) } : packed };
}

/** Runs one command and posts what came of it; `started` when its synchronous part is over. */
export function serve(host, post, command) {
  const { id } = command;
  const waits = command.do === 'acquire' || (command.do === 'invoke' && !command.blocks);
  try {
    // A blocking command says so before; of acquire() everything up to enrolling is synchronous.
    if (!waits) post({ id, started: true });
    const result = host[command.do](command);
    if (waits) post({ id, started: true });
    Promise.resolve(result).then(
      (value) => post({ id, value }),
      (error) => post({ id, failure: packError(error) }),
    );
  } catch (error) {
    post({ id, failure: packError(error) });
  }
}
