import { brand } from '../brand.js';
import { publishRelease } from '../channels.js';
import type { Guard, HeldGuard } from '../holds/guard.js';
import { Recursion } from '../holds/recursive.js';
import {
  type RLockOptions,
  type RLockScope,
  type AcquireOptions,
  checkScope,
  readAcquire,
  readOpen,
  rlockOptions,
} from '../options.js';
import type { StepOptions } from '../waiting/deadline.js';
import { Owned } from './owned.js';
import type { Handle } from './shared.js';

/** What toJSON() of an RLock gives; attach() opens it with the same scope. */
export interface RLockHandle extends Handle<'RLock'> {
  /** The scope of the RLock, if it is not the default. */
  readonly scope?: 'thread' | 'async';
}

/**
 * A recursive lock: its holder may acquire it again, and holds it until it has released it as
 * often. It is Python's `multiprocessing.RLock`. It is the same lock in every process and worker
 * thread of the user that opens its name.
 *
 * `acquire()` and `runExclusive()` hold by async task, so the tasks of one thread exclude each
 * other. `acquireSync()` and `tryAcquire()` hold by JS thread, as in Python. `scope` changes that:
 * `'thread'` makes every form hold by thread, and `'async'` makes none of them do so.
 *
 * A task is all code that shares one context of AsyncLocalStorage: a function, all that it calls
 * and awaits, its timers and its callbacks. Its branches (Promise.all) are one holder. A callback
 * from elsewhere that the task calls belongs to the task, too.
 *
 * - `runExclusive(fn)`: fn holds the lock, and all that it calls.
 * - `await lock.acquire()`: the code behind this await holds it, and all that it calls. The caller
 *   of the function in which it stands does not: a function that acquires and *returns* the guard
 *   does not make its caller the holder. Only the promise of acquire() itself hands the lock over,
 *   to each await or then(). What race(), all() or finally() make of it does not.
 * - `acquireSync()`, `tryAcquire()`: in a task that holds the lock they go one deeper in its hold.
 *   Otherwise the thread holds it, and every such call in the thread goes one deeper, from any
 *   task. So they do not exclude each other while the hold is kept across an await.
 *   `acquire({ timeout: 0 })` is the tryAcquire() of a task.
 * - While the thread holds it, acquire() and runExclusive() wait. Code that keeps the guard of
 *   acquireSync() and awaits acquire() waits for itself, as with a Lock: give a `timeout`.
 * - While a task holds it, acquireSync() outside of that task would wait for its own thread. It
 *   throws DeadlockError, or with a `timeout` TimeoutError. tryAcquire() returns null.
 * - `release()` and `depth()` are those of the calling task's hold, or of the thread's.
 *   `guard.release()` works from anywhere. A task that ends without it leaves the lock held; the
 *   end of its thread leaves it abandoned.
 *
 * From acquire() to the end of its hold a hook of node:async_hooks is on, and every promise of the
 * thread costs some 0.3 us more. runExclusive() and acquireSync() need no hook. (Before Node 24
 * AsyncLocalStorage is such a hook itself, from its first use on.)
 *
 * Underneath, on Linux, is a robust process-shared pthread mutex. The kernel wakes a waiter of
 * acquireSync() at once when the holder dies; other waiters have the lock within two slices (100
 * ms). The next guard says `abandoned`. macOS has no such mutex; there all waiters need the slice.
 */
export class RLock extends Owned<'RLock'> {
  static {
    brand(this, 'RLock');
  }
  /**
   * Who holds it. `'mixed'`: the task after acquire() and runExclusive(), the thread after
   * acquireSync() and tryAcquire(). `'thread'`: the thread. `'async'`: the task, or the guard of
   * acquireSync() and tryAcquire() alone.
   */
  readonly scope: RLockScope;
  // Undefined while the constructor has not got so far: it may call close().
  readonly #recursion!: Recursion | undefined;

  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Lock does; IncompatibleError also if this thread has it open with another scope.
   */
  constructor(options: RLockOptions = {}) {
    const read = readOpen(options, rlockOptions);
    checkScope(read);
    super('RLock', read);
    this.scope = read.scope ?? 'mixed';
    try {
      this.#recursion = new Recursion(this, this.native, this.scope);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Waits until this task holds the lock (scope 'thread': this thread); otherwise as
   * Lock.acquire(). The holder goes one deeper at once, even if others wait.
   */
  override acquire(options?: AcquireOptions): Promise<Guard> {
    if (!this.#recursion!.isForTask()) return super.acquire(options);
    try {
      // The promise of the hold itself: what is behind its await is inside.
      return this.#recursion!.acquire(this, readAcquire(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal */
  override takeHold(options: StepOptions | undefined): HeldGuard | Promise<HeldGuard> {
    const recursion = this.#recursion!;
    return recursion.isForTask() ? recursion.acquire(this, options) : super.takeHold(options);
  }

  /**
   * The same as Lock.runExclusive(). Its holder is `fn` with all that it calls (scope 'thread':
   * this thread).
   */
  override runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    const recursion = this.#recursion!;
    return recursion.isForTask()
      ? recursion.runExclusive(this, fn, options)
      : super.runExclusive(fn, options);
  }

  /**
   * Gives one acquisition back; the lock is free after the outermost. Does not block.
   *
   * @throws NotOwnerError if neither the calling task nor its thread holds it.
   */
  release(): void {
    this.ownership.release();
    publishRelease(this, 'exclusive');
  }

  /**
   * How many acquisitions the calling task or its thread has to release; 0 if neither holds it.
   * Does not block.
   */
  depth(): number {
    return this.ownership.depth();
  }

  /** @internal */
  reopen(): RLock {
    return new RLock({ name: this.name, mustExist: true, scope: this.scope });
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): RLockHandle {
    const { scope } = this;
    return scope === 'mixed' ? super.toJSON() : { ...super.toJSON(), scope };
  }

  /** @internal */
  get ownership(): Recursion {
    void this.native; // closed?
    return this.#recursion!;
  }

  /** @internal */
  override mayClose(): boolean {
    return this.#recursion?.mayClose() ?? super.mayClose();
  }

  /** @internal */
  protected override closed(): void {
    this.#recursion?.leave(this);
  }
}
