// The holder of an RLock within a JS thread: the thread itself, one of its async tasks, or a guard
// alone.
//
// There are two levels. Among threads and processes the JS thread holds, natively, whatever the
// scope. Within the thread at most one of these stands for that native hold:
//
//   the thread   a plain call took it: acquireSync() or tryAcquire(). Every plain call of the
//                thread enters again, from any task (`ThreadHold`, by-thread.ts).
//   a task       acquire() or runExclusive() took it. The code that has the `TaskHold` in its async
//                context holds the lock (by-task.ts).
//   a guard      a plain call took it under scope 'async'. It is a TaskHold that is in no context.
//
// What a call does in scope 'mixed', the default. It depends on the holder in this thread:
//
//   holder        acquire()        acquireSync()        tryAcquire()   release()      depth()
//                 runExclusive()
//   ------------  ---------------  -------------------  -------------  -------------  ------------
//   nobody here   the task's, or   the thread's, or     the thread's,  NotOwnerError  0
//                 waits            blocks               or null
//   this task     one deeper       one deeper           one deeper     the task's     the task's
//   another task  waits            DeadlockError; with  null           NotOwnerError  0
//                                  a timeout TimeoutError
//   the thread    waits            one deeper           one deeper     the thread's   the thread's
//
// Code that runs in no task is "another task". guard.release() ends its acquisition from anywhere.
//
// Why acquire() waits behind the thread's own hold. A plain call leaves no trace in an async
// context, so nothing tells the code that took the hold from a task that runs while the hold is
// kept across an await. (executionAsyncId() would tell, but only while some hook is on. A mark that
// a microtask removes is still there for the microtasks queued before it.) If acquire() let its
// caller in, it could let two independent tasks in. If it threw, a task would fail that only has to
// wait its turn. So code that keeps the guard of a plain call and awaits acquire() waits for
// itself, as with a Lock, until its `timeout`.
//
// The other scopes:
//
//   'thread'   acquire() and runExclusive() do what acquireSync() does, without blocking: the
//              thread holds all, and any number of its tasks are inside at once.
//   'async'    after a plain call outside of the holding task only the guard holds the lock. Before
//              guard.release() no code enters, not even the caller: acquire() waits,
//              tryAcquire() returns null, acquireSync() throws DeadlockError, release()
//              NotOwnerError.
//
// The life of a task's hold:
//
//   running -> waits   the thread holds already, for another task or for itself. The native lock
//                      would let this thread in, so it is not tried.
//   running -> holds   the native lock is free, or its holder is dead; `task` is the new hold
//   holds -> holds     nested: the native lock counts the depth
//   holds -> running   the last release: the hold is over, in every context that still has it
//   holds -> waits     a Condition gives the lock up; the same hold is `task` again when it resumes
import { IncompatibleError, NotOwnerError, label } from '../errors.js';
import type { NativeOwned } from '../native/bindings.js';
import { once } from '../native/once.js';
import { type RLockScope, type WaitOptions, checkFunction, readWait } from '../options.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import type { Waiter } from '../waiting/waiter.js';
import { TaskHold, endHold, handOver } from './by-task.js';
import { ThreadHold } from './by-thread.js';
import { context, holdingsWith, inContext } from './context.js';
import { type Guard, HeldGuard, whileHeld } from './guard.js';

/** An open object for the lock. */
type Acquirer = Waiter & { readonly native: NativeOwned };
type Named = Pick<Waiter, 'kind' | 'name'>;

/** One RLock of this thread. All objects that the thread has open for it share this record. */
class Opened {
  handles = 0;
  readonly thread = new ThreadHold();
  /** A task's hold, or a guard's. Undefined while `thread` holds, and while nobody here does. */
  task: TaskHold | undefined;
  /** The object that `task` was taken through. If it were collected, the hold would end. */
  #takenBy: NativeOwned | undefined;
  /** The holds that Conditions have given up, by the number of the hold. */
  readonly #suspended = new Map<number, TaskHold>();

  constructor(readonly scope: RLockScope) {}

  /** Does the running task hold it? */
  isHeldByTask(): boolean {
    return this.task !== undefined && inContext(this.task);
  }

  /** Does the running code hold it, by its task or by its thread? */
  isHeldByCaller(): boolean {
    return this.thread.depth !== 0 || this.isHeldByTask();
  }

  isHeldInThread(): boolean {
    return this.thread.depth !== 0 || this.task !== undefined;
  }

  /** `result` as tryAcquire() returns it. */
  taken(result: number, hold: TaskHold, native: NativeOwned): number {
    if (result !== 0) {
      this.task = hold;
      this.#takenBy = native;
    }
    return result;
  }

  /** After a release of `task`: was it the last? */
  released(): void {
    if (this.task === undefined || this.#takenBy!.heldByMe()) return;
    endHold(this.task);
    this.task = undefined;
    this.#takenBy = undefined;
  }

  /** `task` is given up, and not over. */
  suspend(number: number): number {
    this.#suspended.set(number, this.task!);
    this.task = undefined;
    this.#takenBy = undefined;
    return number;
  }

  /** What a plain call has just taken becomes the hold that was given up, if that was a task's. */
  resume(number: number, native: NativeOwned): boolean {
    const hold = this.#suspended.get(number);
    if (hold === undefined) return false;
    this.#suspended.delete(number);
    this.thread.end();
    this.task = hold;
    this.#takenBy = native;
    return true;
  }
}

// ---------------------------------------------------------------- the open objects of this thread

/** By the tag of the lock, as long as this thread has an object open for it. */
const openedHere = once('opened', () => new Map<number, Opened>());
const collected = new FinalizationRegistry(forget);

function forget(tag: number): void {
  const opened = openedHere.get(tag);
  if (opened && --opened.handles === 0) openedHere.delete(tag);
}

/**
 * Registers a new object. All objects of one thread for a lock must have one scope. The native lock
 * lets the whole thread in again, so an object of scope 'thread' would enter while a task holds it.
 */
export function enter(waiter: Acquirer, native: NativeOwned, scope: RLockScope): Recursion {
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
  return new Recursion(waiter, native, opened);
}

/** Called when an object for the lock with this tag was closed. */
export function leave(waiter: Acquirer, tag: number): void {
  if (collected.unregister(waiter)) forget(tag);
}

// ---------------------------------------------------------------- one object

/** The part of an RLock object that decides which code of the thread is the holder. */
export class Recursion {
  readonly #waiter: Acquirer;
  readonly #opened: Opened;
  /** Take it for a task. Answer like tryAcquire() and tryFree(). */
  readonly #take: (hold: TaskHold) => number;
  readonly #takeFree: (hold: TaskHold) => number;

  /** Replaces functions of the native object. Guards and waits call the new ones, too. */
  constructor(waiter: Acquirer, native: NativeOwned, opened: Opened) {
    const { tryAcquire, tryFree } = native;
    this.#waiter = waiter;
    this.#opened = opened;
    this.#take = (hold) => (opened.isHeldInThread() ? 0 : opened.taken(tryAcquire(), hold, native));
    this.#takeFree = (hold) =>
      opened.isHeldInThread() ? 0 : opened.taken(tryFree(), hold, native);
    // Not the RLock itself: a hold keeps `native` alive, and must not keep the RLock alive.
    const { kind, name } = waiter;
    decorate({ kind, name }, native, opened);
  }

  /** Does the running code hold it, by its task or by its thread? */
  isHeldByCaller(): boolean {
    return this.#opened.isHeldByCaller();
  }

  /** Does acquire() make a new hold, of the running task? If not, it acts as a plain call does. */
  isForTask(): boolean {
    return this.#opened.scope !== 'thread' && !this.#opened.isHeldByTask();
  }

  /** RLock.acquire() of a task that does not hold it. */
  acquire(options: WaitOptions | undefined): Promise<Guard> {
    const hold = new TaskHold();
    return handOver(hold, () => this.#acquire(hold, options));
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
    options = readWait(options);
    const { native } = this.#waiter;
    let result = isWaitedFor(native.tag) ? 0 : this.#takeFree(hold);
    if (result === 0) {
      if (options?.timeout !== 0) native.contend();
      // Serving the queue may happen in any context. The hold that counts is the waiter's.
      const take = () => this.#take(hold) || undefined;
      result = await waitFor(this.#waiter, { waitSet: native, take }, options);
    }
    return new HeldGuard(native, result);
  }
}

/** Replaces native functions by ones that know which code of this thread holds the lock. */
function decorate(about: Named, native: NativeOwned, opened: Opened): void {
  const { mayClose, tryAcquire, tryFree, wait, depth, releaseHold } = native;
  const { thread } = opened;
  let lastHold = 0;

  const takenByThread = (result: number) => {
    if (result !== 0) thread.begin((lastHold = Math.abs(result)), native, releaseHold);
    return result;
  };
  const takenByGuard = (result: number) => opened.taken(result, new TaskHold(), native);
  const takenByCall = opened.scope === 'async' ? takenByGuard : takenByThread;
  const deeper = () => {
    thread.depth++;
    return (lastHold = thread.number);
  };
  // Only the thread could release what another of its tasks holds, so the native lock is not asked.
  const inTask = () => (opened.isHeldByTask() ? tryAcquire() : 0);

  native.tryAcquire = () => {
    if (thread.depth !== 0) return deeper();
    return opened.task === undefined ? takenByCall(tryAcquire()) : inTask();
  };
  native.tryFree = () => {
    if (thread.depth !== 0) return deeper();
    return opened.task === undefined ? takenByCall(tryFree()) : inTask();
  };
  native.wait = (ms) => {
    if (thread.depth !== 0) return deeper();
    if (opened.task === undefined) return takenByCall(wait(ms));
    sleepSync(ms); // in vain
    return 0;
  };
  native.depth = () => thread.depth || (opened.isHeldByTask() ? depth() : 0);
  // Not while this thread has a hold that it acquired through this object.
  native.mayClose = () => (thread.depth === 0 || lastHold !== thread.number) && mayClose();
  decorateReleases(about, native, opened);
  decorateSuspension(native, opened, takenByThread);
}

function decorateReleases(about: Named, native: NativeOwned, opened: Opened): void {
  const { release, releaseHold } = native;
  const { thread } = opened;

  native.release = () => {
    if (thread.depth > 1) {
      thread.depth--;
      return;
    }
    if (thread.depth === 0 && opened.scope !== 'thread' && !opened.isHeldByTask()) {
      throw notOwner(about);
    }
    release();
    thread.end();
    opened.released();
  };
  native.releaseHold = (hold) => {
    if (thread.depth > 1 && hold === thread.number) {
      thread.depth--;
      return;
    }
    (thread.releaseHold ?? releaseHold)(hold);
    thread.end();
    opened.released();
  };
}

function decorateSuspension(
  native: NativeOwned,
  opened: Opened,
  takenByThread: (result: number) => number,
): void {
  const { giveUp, resume } = native;
  const { thread } = opened;

  native.giveUp = () => {
    const number = giveUp();
    if (opened.task !== undefined) return opened.suspend(number);
    thread.end();
    return number;
  };
  native.resume = (number, depth) => {
    if (opened.resume(number, native)) return resume(number, depth);
    resume(number, 1);
    takenByThread(number);
    thread.depth = depth;
  };
}

function notOwner({ kind, name }: Named): NotOwnerError {
  return new NotOwnerError(`${label(kind, name)}: neither this task nor its thread holds it`, {
    kind,
    objectName: name,
  });
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
