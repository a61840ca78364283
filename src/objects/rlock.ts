import { type TaskScope, enter, leave } from '../holds/by-task.js';
import type { Guard } from '../holds/guard.js';
import type { NativeOwned } from '../native/bindings.js';
import type { Handle } from './shared.js';
import {
  type RLockOptions,
  type RLockScope,
  type WaitOptions,
  checkScope,
  rlockOptions,
} from '../options.js';
import { Owned } from './owned.js';

/** What toJSON() of an RLock gives; attach() opens it with the same scope. */
export interface RLockHandle extends Handle<'RLock'> {
  /** The scope of the RLock, if it is not the default. */
  readonly scope?: 'async';
}

/**
 * A recursive lock: the thread that holds it may acquire it again, and holds it until it has released
 * as many times. Like Python's `multiprocessing.RLock`; one and the same in every process and worker
 * thread of the user that opens its name.
 *
 * Its holder is a JS thread, not an async task: two tasks of one thread both enter. With
 * `scope: 'async'` it is the task, and tasks exclude each other too. A task is what AsyncLocalStorage
 * takes for one: what a function calls and awaits, and the timers and callbacks that it makes. Its branches
 * (Promise.all) are one holder, as is a callback of somebody else's that it calls. The rules:
 *
 * - `runExclusive(fn)`: fn holds the lock.
 * - `await lock.acquire()`: the code behind this await holds it, and all that it calls. Not the caller of
 *   the function in which it stands: a function that acquires and *returns* the guard does not make
 *   its caller the holder. Only the promise of acquire() itself hands the lock over, to whoever awaits
 *   it or calls its then(); what race(), all() or finally() make of it does not.
 * - `tryAcquire()` and `acquireSync()` go one deeper in a task that holds the lock. In any other they
 *   acquire for the guard alone, because what follows a plain call is also the caller's: no task is the
 *   holder, and nobody enters before `guard.release()`.
 * - Who is not the holder waits, also for itself: acquire() behind a guard of its own that made it no
 *   holder never ends, as with a Lock. acquireSync() throws DeadlockError.
 * - `release()` and `depth()` are the calling task's. `guard.release()` works from anywhere. A task that
 *   ends without it leaves the lock held; its thread's end leaves it abandoned.
 *
 * From acquire() to the end of its hold a hook of node:async_hooks is on, and every promise of the thread
 * costs some 0.3 us more. runExclusive() needs none. (Before Node 24 AsyncLocalStorage is such a
 * hook itself, from its first use on.)
 *
 * Underneath, on Linux, is a robust process-shared pthread mutex. The kernel wakes a waiter of
 * acquireSync() at once when the holder dies; other waiters have the lock within two slices (100 ms).
 * The next guard says `abandoned`. macOS has no such mutex; there all waiters need the slice.
 */
export class RLock extends Owned<'RLock'> {
  /** Who holds it: the JS thread, or the async task. */
  readonly scope: RLockScope;
  readonly #tag: number;
  /** Undefined if it is the thread. */
  readonly #tasks: TaskScope | undefined;

  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Lock does; IncompatibleError also if this thread has it open with another scope.
   */
  constructor(options: RLockOptions = {}) {
    checkScope(options);
    super('RLock', options, { optionNames: rlockOptions });
    this.scope = options.scope ?? 'thread';
    this.#tag = this.native.tag;
    try {
      this.#tasks = enter(this, this.native, this.scope);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /**
   * Waits until the lock is this thread's (scope 'async': this task's); otherwise as Lock.acquire(). The
   * holder goes one deeper at once, whoever waits.
   */
  override acquire(options?: WaitOptions): Promise<Guard> {
    const tasks = this.#tasks;
    return tasks === undefined || tasks.isMine() ? super.acquire(options) : tasks.acquire(options);
  }

  /** As Lock.runExclusive(). With scope 'async' `fn`, and all that it calls, is the holder. */
  override runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    const tasks = this.#tasks;
    return tasks === undefined || tasks.isMine()
      ? super.runExclusive(fn, options)
      : tasks.runExclusive(fn, options);
  }

  /**
   * Gives one acquisition back; the lock is free after the outermost. Does not block.
   *
   * @throws NotOwnerError if this thread (scope 'async': this task) does not hold it.
   */
  release(): void {
    this.native.release();
  }

  /** How many acquisitions this thread or task has to release; 0 if it does not hold the lock. */
  depth(): number {
    return this.native.depth();
  }

  /** @internal */
  again(): RLock {
    return new RLock({ name: this.name, mustExist: true, scope: this.scope });
  }

  /** A token that attach() turns into this object in another process. Does not block. */
  override toJSON(): RLockHandle {
    return this.scope === 'async' ? { ...super.toJSON(), scope: 'async' } : super.toJSON();
  }

  /** @internal */
  protected override closed(): void {
    leave(this, this.#tag);
  }

  /** @internal */
  override mine(): boolean {
    return this.#tasks?.isMine() ?? super.mine();
  }

  /** @internal The holder never stands behind others, or it would wait for itself. */
  protected enters(native: NativeOwned): boolean {
    return native.heldByMe();
  }
}
