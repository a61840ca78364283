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
import { beginAcquisition } from '../channels.js';
import type { Need } from '../deadlocks/record.js';
import { NotOwnerError, label } from '../errors.js';
import type { Native, Outcome } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { type AcquireOptions, type RLockScope, checkFunction, readAcquire } from '../options.js';
import type { StepOptions } from '../waiting/deadline.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';
import type { Waiter } from '../waiting/waiter.js';
import { TaskHold, endHold, handOver } from './by-task.js';
import { context, holdingsWith } from './context.js';
import { follow } from './follow.js';
import { type Guard, HeldGuard, guardOf, heldBy } from './guard.js';
import { type OpenedHere, enter, leave } from './opened-here.js';
import { type Ownership, type Suspended, needOf } from './ownership.js';

const operations = addon.RLock;

type Named = Pick<Waiter, 'kind' | 'name'>;

/** One RLock as this object has it open: the native lock, and who holds it within the thread. */
export class Recursion implements Ownership {
  readonly waiters: WaitSet;
  isReleasedByName = false;
  readonly #native: Native<'RLock'>;
  readonly #openedHere: OpenedHere;
  // Not the RLock itself: guards keep this Recursion, and must not keep the RLock alive.
  readonly about: Named;
  /** The hold that was acquired last through this object. */
  #lastHold = 0;

  /** @throws IncompatibleError if this thread has the lock open with another scope. */
  constructor(waiter: Waiter, native: Native<'RLock'>, scope: RLockScope) {
    this.waiters = new WaitSet(operations.waiters, native);
    this.#native = native;
    this.#openedHere = enter(waiter, native, this.waiters.tag, scope);
    this.about = { kind: waiter.kind, name: waiter.name };
  }

  /** Called when the object was closed. */
  leave(waiter: Waiter): void {
    leave(waiter, this.waiters.tag);
  }

  // ---------------------------------------------------------------- acquiring by a plain call

  tryAcquireOrRescue(): HeldGuard | undefined {
    return this.#takeByCall(operations.tryAcquireOrRescue);
  }

  tryAcquireEnrolled(): HeldGuard | undefined {
    return this.#takeByCall(operations.tryAcquireEnrolled);
  }

  tryAcquire(): HeldGuard | undefined {
    return this.#takeByCall(operations.tryAcquire);
  }

  #takeByCall(attempt: (native: Native<'RLock'>) => Outcome): HeldGuard | undefined {
    const { thread, task } = this.#openedHere;
    if (thread.depth !== 0) return this.#deeper();
    if (task !== undefined) return this.#inTask();
    return this.#takenByCall(attempt(this.#native));
  }

  wait(ms: number): HeldGuard | undefined {
    const { thread, task } = this.#openedHere;
    if (thread.depth !== 0) return this.#deeper();
    if (task === undefined) return this.#takenByCall(operations.wait(this.#native, ms));
    sleepSync(ms); // in vain
    return undefined;
  }

  contend(): void {
    operations.contend(this.#native);
  }

  need(): Need {
    return needOf(this);
  }

  #deeper(): HeldGuard {
    const { thread } = this.#openedHere;
    thread.depth++;
    this.#lastHold = thread.number;
    return new HeldGuard(this, thread.number);
  }

  /**
   * While a task holds it. Only the thread could release what another of its tasks holds, so the
   * native lock is not asked.
   */
  #inTask(): HeldGuard | undefined {
    if (!this.#openedHere.isHeldByTask()) return undefined;
    return guardOf(this, operations.tryAcquireOrRescue(this.#native));
  }

  #takenByCall(outcome: Outcome): HeldGuard | undefined {
    const guard = guardOf(this, outcome);
    if (guard === undefined) return undefined;
    if (this.#openedHere.scope === 'async') this.#openedHere.begin(new TaskHold(), this.#native);
    else this.#beginByThread(guard.hold);
    return guard;
  }

  #beginByThread(hold: number): void {
    this.#lastHold = hold;
    this.#openedHere.thread.begin(hold, this.#native);
  }

  // ---------------------------------------------------------------- acquiring by a task

  /** Does acquire() make a new hold, of the running task? If not, it acts as a plain call does. */
  isForTask(): boolean {
    return this.#openedHere.scope !== 'thread' && !this.#openedHere.isHeldByTask();
  }

  /** RLock.acquire() of a task that does not hold it. */
  acquire(waiter: Waiter, options: StepOptions | undefined): Promise<HeldGuard> {
    const hold = new TaskHold();
    return handOver(hold, () => this.#acquire(waiter, hold, options));
  }

  /** RLock.runExclusive() of such a task. */
  async runExclusive<T>(
    waiter: Waiter,
    fn: (guard: Guard) => T | Promise<T>,
    options: AcquireOptions | undefined,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    const read = readAcquire(options);
    const hold = new TaskHold();
    const guard = await this.#acquire(waiter, hold, read);
    try {
      return await context.run(holdingsWith(hold), fn, guard);
    } finally {
      guard.release();
    }
  }

  async #acquire(
    waiter: Waiter,
    hold: TaskHold,
    options: StepOptions | undefined,
  ): Promise<HeldGuard> {
    try {
      const acquisition = beginAcquisition(this.about, 'exclusive', false);
      const isFirst = !isWaitedFor(this.waiters.tag);
      const guard = isFirst ? this.#take(hold, operations.tryAcquire) : undefined;
      if (acquisition !== undefined) {
        const wait = () => this.#wait(waiter, hold, options);
        return await follow(acquisition, guard, options?.signal, wait);
      }
      return guard ?? (await this.#wait(waiter, hold, options));
    } catch (error) {
      endHold(hold);
      throw error;
    }
  }

  #wait(waiter: Waiter, hold: TaskHold, options: StepOptions | undefined): Promise<HeldGuard> {
    if (options?.timeout !== 0) this.contend();
    // Serving the queue may happen in any context. The hold that counts is the waiter's.
    const take = () => this.#take(hold, operations.tryAcquireOrRescue);
    const takeEnrolled = () => this.#take(hold, operations.tryAcquireEnrolled);
    const need = () => this.need();
    return waitFor(waiter, { waitSet: this.waiters, take, takeEnrolled, need }, options);
  }

  /** Takes it for a task, unless this thread holds it already. */
  #take(hold: TaskHold, attempt: (native: Native<'RLock'>) => Outcome): HeldGuard | undefined {
    if (this.#openedHere.isHeldInThread()) return undefined;
    const guard = guardOf(this, attempt(this.#native));
    if (guard === undefined) return undefined;
    this.#openedHere.begin(hold, this.#native);
    hold.held = { ...heldBy(guard), isReleased: () => false };
    return guard;
  }

  // ---------------------------------------------------------------- releasing

  release(): void {
    const { thread, scope } = this.#openedHere;
    if (thread.depth > 1) {
      thread.depth--;
      this.isReleasedByName = true;
      return;
    }
    if (thread.depth === 0 && scope !== 'thread' && !this.#openedHere.isHeldByTask()) {
      throw this.#notOwner();
    }
    operations.release(this.#native);
    this.isReleasedByName = true;
    thread.end();
    this.#openedHere.released();
  }

  get tag(): number {
    return this.waiters.tag;
  }

  isRemoved(): boolean {
    return addon.common.isRemoved(this.#native);
  }

  releaseHold(hold: number): void {
    const { thread } = this.#openedHere;
    if (thread.depth > 1 && hold === thread.number) {
      thread.depth--;
      return;
    }
    operations.releaseHold(thread.takenBy ?? this.#native, hold);
    thread.end();
    this.#openedHere.released();
  }

  #notOwner(): NotOwnerError {
    const { kind, name } = this.about;
    return new NotOwnerError(`${label(kind, name)}: neither this task nor its thread holds it`, {
      kind,
      objectName: name,
    });
  }

  giveUp(): Suspended {
    const depth = this.depth();
    const hold = operations.giveUp(this.#native);
    if (this.#openedHere.task !== undefined) this.#openedHere.suspend(hold);
    else this.#openedHere.thread.end();
    return { hold, depth };
  }

  resume({ hold, depth }: Suspended): void {
    // A plain call has just taken it. If the hold was a task's, it becomes that task's again.
    const isTasks = this.#openedHere.resume(hold, this.#native);
    operations.resume(this.#native, hold, isTasks ? depth : 1);
    if (isTasks) return;
    this.#beginByThread(hold);
    this.#openedHere.thread.depth = depth;
  }

  // ---------------------------------------------------------------- who holds it

  depth(): number {
    const { thread } = this.#openedHere;
    if (thread.depth !== 0) return thread.depth;
    return this.#openedHere.isHeldByTask() ? operations.depth(this.#native) : 0;
  }

  isHeldByThread(): boolean {
    return operations.isHeldByCaller(this.#native);
  }

  isHeldByCaller(): boolean {
    return this.#openedHere.thread.depth !== 0 || this.#openedHere.isHeldByTask();
  }

  /** The holder never stands behind others, or it would wait for itself. */
  mayBypassQueue(): boolean {
    return this.isHeldByThread();
  }

  mayClose(): boolean {
    const { thread } = this.#openedHere;
    if (thread.depth !== 0 && thread.number === this.#lastHold) return false;
    return addon.common.mayClose(this.#native);
  }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
