// RLocks whose holder is an async task (`scope: 'async'`), not the JS thread.
//
// Two levels. Among threads and processes the thread holds, natively, as with any RLock. Within the thread
// one Hold at a time stands for that, and whoever has the Hold in its async context owns it.
//
//   running -> waits   `owner` is somebody else's: the native lock would let this thread in, so it is
//                      not asked
//   running -> owns    the native lock is free, or left by the dead: taken, and `owner` is the new Hold
//   owns -> owns       nested: the native lock counts the depth
//   owns -> running    the last release: the Hold is over, in whatever contexts it still is
//   owns -> waits      a Condition gives the lock up; the same Hold is `owner` again when it resumes
//
// How a Hold gets into a context. runExclusive() calls its function in one (AsyncLocalStorage.run). The code
// behind `await lock.acquire()` cannot be called like that, and to change the context of the caller
// (enterWith) would give the lock to the caller's caller too, which goes on as soon as the task waits. So
// no running code's context is ever changed: a hook of node:async_hooks notes which reactions are attached
// to the promise of acquire(), an await among them, and puts the Hold into the context of such a
// reaction just before it runs. That context ends with the reaction; what is called or made in there
// inherits it, and nothing else does.
//
// Where the hook does not see the promise (a runtime without such hooks, a Promise class of a polyfill),
// the Hold gets into no context and is the guard's alone. A task may then wait for itself; two are never
// inside.
import { createHook } from 'node:async_hooks';
import { IncompatibleError, NotOwnerError, label } from '../errors.js';
import { type Guard, HeldGuard, whileHeld } from './guard.js';
import { Hold, context, holdingsWith, inContext } from './context.js';
import type { NativeOwned } from '../native/bindings.js';
import { type RLockScope, type WaitOptions, checkFunction, checkWait } from '../options.js';
import { Recursion, countDepth } from './by-thread.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import type { Waiter } from '../waiting/waiter.js';

/** From a task's outermost acquisition to its last release. */
class TaskHold extends Hold {
  /** Of the promise that hands it over; 0 without one. */
  promiseId = 0;
  /** Reactions to that promise which have not run. */
  readonly reactionIds: number[] = [];
}

// ---------------------------------------------------------------- handing over by a promise

const byPromise = new Map<number, TaskHold>();
const byReaction = new Map<number, TaskHold>();
/** Promises that come up while one is made: another hook may make some of its own in between. */
let madeNow: { id: number; resource: object }[] | undefined;

// On only from an acquire() to the end of its hold: with it every promise of the thread costs more.
const hook = createHook({
  init(id, type, triggerId, resource) {
    if (type !== 'PROMISE') return;
    madeNow?.push({ id, resource });
    // What triggers a promise is the one that it is a reaction to, if it is one.
    const hold = byPromise.get(triggerId);
    if (hold === undefined) return;
    byReaction.set(id, hold);
    hold.reactionIds.push(id);
  },
  before(id) {
    const hold = byReaction.get(id);
    if (hold === undefined) return;
    byReaction.delete(id);
    if (!inContext(hold)) context.enterWith(holdingsWith(hold));
  },
});

/** A promise whose reactions, if it is fulfilled, run with the Hold in their context. */
function handingOver<T>(hold: TaskHold, start: () => Promise<T>): Promise<T> {
  if (byPromise.size === 0) hook.enable();
  madeNow = [];
  let settle!: [resolve: (value: T) => void, reject: (reason: unknown) => void];
  const promise = new Promise<T>((...both) => (settle = both));
  const made = madeNow.find(({ resource }) => resource === promise);
  madeNow = undefined;
  if (made !== undefined) byPromise.set((hold.promiseId = made.id), hold);
  else if (byPromise.size === 0) hook.disable();

  const [resolve, reject] = settle;
  start().then(resolve, (reason: unknown) => {
    end(hold);
    reject(reason);
  });
  return promise;
}

function end(hold: TaskHold): void {
  hold.isOver = true;
  for (const id of hold.reactionIds) byReaction.delete(id);
  if (byPromise.delete(hold.promiseId) && byPromise.size === 0) hook.disable();
}

// ---------------------------------------------------------------- the lock within this thread

/** A handle, as long as it is open. */
type Acquirer = Waiter & { readonly native: NativeOwned };

/** One RLock as this thread has it open, through however many handles. */
class Opened {
  handles = 0;
  /** Of scope 'thread'. Of a task's holds the native lock counts the depth. */
  readonly recursion = new Recursion();
  #owner: TaskHold | undefined;
  /** What it was taken through. Kept: the hold must not end because a handle is collected. */
  #takenBy: NativeOwned | undefined;

  /** What was given up to be resumed, by number. */
  readonly #suspended = new Map<number, TaskHold>();

  constructor(readonly scope: RLockScope) {}

  /** Does the running task hold it? */
  isMine(): boolean {
    return this.#owner !== undefined && inContext(this.#owner);
  }

  /** `result` as tryAcquire() returns it. */
  taken(result: number, hold: TaskHold, native: NativeOwned): number {
    if (result !== 0) {
      this.#owner = hold;
      this.#takenBy = native;
    }
    return result;
  }

  released(): void {
    if (this.#owner === undefined || this.#takenBy!.heldByMe()) return;
    end(this.#owner);
    this.#owner = undefined;
    this.#takenBy = undefined;
  }

  /** The Hold is nobody's owner, and not over. */
  gaveUp(number: number): number {
    this.#suspended.set(number, this.#owner!);
    this.#owner = undefined;
    this.#takenBy = undefined;
    return number;
  }

  /** What was taken to resume it becomes it. */
  resumed(number: number): void {
    this.#owner = this.#suspended.get(number);
    this.#suspended.delete(number);
  }
}

/** By the object's tag, as long as this thread has a handle of it. */
const openedHere = new Map<number, Opened>();
const collected = new FinalizationRegistry(forget);

function forget(tag: number): void {
  const opened = openedHere.get(tag);
  if (opened && --opened.handles === 0) openedHere.delete(tag);
}

/**
 * Registers a new handle. Those of one thread must have one scope: the native lock lets the whole thread
 * in again, so a handle of scope 'thread' would enter what a task holds.
 */
export function enter(
  waiter: Acquirer,
  native: NativeOwned,
  scope: RLockScope,
): TaskScope | undefined {
  const opened = openedHere.get(native.tag) ?? new Opened(scope);
  if (opened.scope !== scope) {
    throw new IncompatibleError(
      `${label(waiter.kind, waiter.name)}: this thread has it open with scope '${opened.scope}', ` +
        `and so not with scope '${scope}' too`,
      { kind: waiter.kind, objectName: waiter.name },
    );
  }
  openedHere.set(native.tag, opened);
  opened.handles++;
  collected.register(native, native.tag, waiter);
  if (scope === 'async') return new TaskScope(waiter, native, opened);
  countDepth(native, opened.recursion);
  return undefined;
}

/** The handle was closed; `tag` as it had. */
export function leave(waiter: Acquirer, tag: number): void {
  if (collected.unregister(waiter)) forget(tag);
}

/** What a handle of scope 'async' does otherwise than one of scope 'thread'. */
export class TaskScope {
  readonly #waiter: Acquirer;
  readonly #opened: Opened;
  /** For one that has no context yet; answers like tryAcquire(). */
  readonly #take: (hold: TaskHold) => number;

  /**
   * Replaces functions of the native handle, so that whoever calls them, guards and waits included,
   * asks for the task. heldByMe() stays the thread's: would acquireSync() wait for its own thread?
   */
  constructor(waiter: Acquirer, native: NativeOwned, opened: Opened) {
    const { tryAcquire, wait, release, releaseHold, giveUp, resume, depth, heldByMe } = native;
    this.#waiter = waiter;
    this.#opened = opened;
    this.#take = (hold) => (heldByMe() ? 0 : opened.taken(tryAcquire(), hold, native));
    native.tryAcquire = () => (opened.isMine() ? tryAcquire() : this.#take(new TaskHold()));
    native.tryFree = native.tryAcquire;
    native.wait = (ms) => {
      if (!heldByMe()) return opened.taken(wait(ms), new TaskHold(), native);
      sleepSync(ms); // in vain: only this thread could release it
      return 0;
    };
    native.release = () => {
      if (!opened.isMine()) throw notOwner(waiter);
      release();
      opened.released();
    };
    native.releaseHold = (hold) => {
      releaseHold(hold);
      opened.released();
    };
    native.giveUp = () => opened.gaveUp(giveUp());
    native.resume = (hold, deep) => {
      resume(hold, deep);
      opened.resumed(hold);
    };
    native.depth = () => (opened.isMine() ? depth() : 0);
  }

  /** Does the running task hold it? Then it enters as a thread enters what it holds. */
  isMine(): boolean {
    return this.#opened.isMine();
  }

  /** RLock.acquire() of a task that does not hold it. */
  acquire(options: WaitOptions | undefined): Promise<Guard> {
    const hold = new TaskHold();
    return handingOver(hold, () => this.#acquire(hold, options));
  }

  /** RLock.runExclusive() of such a task. */
  async runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options: WaitOptions | undefined,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    const hold = new TaskHold();
    return whileHeld(await this.#acquire(hold, options), (guard) =>
      context.run(holdingsWith(hold), () => fn(guard)),
    );
  }

  async #acquire(hold: TaskHold, options: WaitOptions | undefined): Promise<Guard> {
    checkWait(options);
    const { native } = this.#waiter;
    let result = isWaitedFor(native.tag) ? 0 : this.#take(hold);
    if (result === 0) {
      if (options?.timeout !== 0) native.contend();
      // Whoever it is that lets a waiter have its turn: the context that counts is not his.
      const take = () => this.#take(hold) || undefined;
      result = await waitFor(this.#waiter, { waitSet: native, take }, options);
    }
    return new HeldGuard(native, result);
  }
}

function notOwner({ kind, name }: Waiter): NotOwnerError {
  return new NotOwnerError(`${label(kind, name)}: this task does not hold it`, {
    kind,
    objectName: name,
  });
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
