import { DeadlockError, label } from '../errors.js';
import { type Guard, HeldGuard, type Holder, whileHeld } from '../holds/guard.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkFunction,
  checkNumber,
  checkOpen,
  checkSyncWait,
  checkWait,
} from '../options.js';
import { waitForHoldSync } from '../waiting/blocking-wait.js';
import { isWaitedFor, waitForHold } from '../waiting/pending-waits.js';

/** What `inspect()` shows of a BoundedSemaphore: a snapshot, which may be out of date when it is read. */
export interface BoundedSemaphoreState {
  /** The class of the object. */
  readonly kind: 'BoundedSemaphore';
  /** The name that it was opened with. */
  readonly name: string;
  /** Permits that there are. */
  readonly permits: number;
  /** Permits that can be had now. */
  readonly value: number;
  /** The live threads that hold a permit, once for each permit. */
  readonly holders: readonly Holder[];
  /** Acquisitions that wait for it now, in live threads of all processes. */
  readonly waiters: number;
  /** Acquisitions since it was made. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Permits taken over from a holder that died. */
  readonly abandonments: number;
}

/**
 * A semaphore whose permits have owners, the same in every process and worker thread of the user that
 * opens its name. Where Python's `multiprocessing.BoundedSemaphore` only counts, this knows who
 * holds each permit: a permit whose holder died (SIGKILL at any instruction too) or whose thread ended comes
 * back at once, and the next guard for it says `abandoned`.
 *
 * A permit belongs to the JS thread that acquired it, and to its guard.
 */
export class BoundedSemaphore extends Shared<'BoundedSemaphore'> {
  /**
   * Opens the semaphore, or makes it with `permits` permits, 1 to 4096. There is no default: with `permits`
   * undefined the semaphore must exist, by the name in `options`, and is taken as it is. Blocks only while
   * another process has the directory locked.
   *
   * @throws IncompatibleError if it exists with another number of permits; TypeError if neither `permits`
   * nor a name is given; NotFoundError if `permits` is undefined and the name does not exist. Otherwise as
   * Lock.
   */
  constructor(permits: number | undefined, options: OpenOptions = {}) {
    checkOpen(options);
    checkNumber('permits', permits, 1, addon.maxOwnedPermits, options);
    super('BoundedSemaphore', permits === undefined ? { ...options, mustExist: true } : options, {
      initial: permits,
    });
  }

  /** Waits for a permit. Waits and rejects as Lock.acquire() does. */
  async acquire(options?: WaitOptions): Promise<Guard> {
    checkWait(options);
    const { native } = this;
    let hold = isWaitedFor(native.tag) ? 0 : native.tryFree();
    if (hold === 0) hold = await waitForHold(this, options);
    return new HeldGuard(native, hold);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread holds every permit itself and no
   * `timeout` was given.
   */
  acquireSync(options?: SyncWaitOptions): Guard {
    checkSyncWait(options);
    const { native } = this;
    let hold = native.tryFree();
    if (hold === 0) {
      if (options?.timeout === undefined && native.allMine()) {
        throw new DeadlockError(
          `${label(this.kind, this.name)}: this thread holds every permit, so waiting for one would never end`,
          { kind: this.kind, objectName: this.name },
        );
      }
      hold = waitForHoldSync(this, options?.timeout);
    }
    return new HeldGuard(native, hold);
  }

  /** Takes a permit if one can be had now; null if not. Does not stand behind pending acquire() calls. */
  tryAcquire(): Guard | null {
    const { native } = this;
    const hold = native.tryAcquire();
    return hold === 0 ? null : new HeldGuard(native, hold);
  }

  /** Acquires a permit, calls `fn`, and gives it back when the result of `fn` has settled. */
  async withPermit<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    return whileHeld(await this.acquire(options), fn);
  }

  /**
   * Gives one permit back: one of this thread's, or if it has none, anybody's, as in Python (the guard of
   * that one then throws NotLockedError). Guards are the better way. Does not block.
   *
   * @throws OverReleaseError if no permit is taken.
   */
  release(): void {
    this.native.release();
  }

  /** Permits that can be had now. Does not block. */
  value(): number {
    return this.native.value();
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): BoundedSemaphoreState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }
}
