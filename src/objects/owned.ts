// What Lock and RLock have in common: everything but the rule for the holder within a thread.
import { beginAcquisition, publishRelease } from '../channels.js';
import { suspicionsOf, wouldWaitForItself } from '../deadlocks/show.js';
import type { DeadlockedWait } from '../errors.js';
import type { Need } from '../deadlocks/record.js';
import { follow, followSync, followTry } from '../holds/follow.js';
import { type Guard, type HeldGuard, type Holder, heldBy, runHolding } from '../holds/guard.js';
import type { Ownership, Suspended } from '../holds/ownership.js';
import type { Native, OwnedOperations } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import {
  type AcquireOptions,
  type SyncAcquireOptions,
  readAcquire,
  readSyncAcquire,
} from '../options.js';
import { waitForSync, waitToAcquireSync } from '../waiting/blocking-wait.js';
import type { StepOptions } from '../waiting/deadline.js';
import { waitUntilFree, waitUntilFreeSync } from '../waiting/free-wait.js';
import { isWaitedFor, waitFor, waitToAcquire } from '../waiting/pending-waits.js';
import type { WaitSet } from '../waiting/wait-set.js';
import type { Waiter } from '../waiting/waiter.js';

/**
 * What `inspect()` shows of a Lock or RLock: a snapshot, which may be out of date when it is read.
 */
export interface LockState {
  /** The class of the object. */
  readonly kind: 'Lock' | 'RLock';
  /** The name that it was opened with. */
  readonly name: string;
  /** True if a live thread holds it. */
  readonly locked: boolean;
  /** True if its holder died and it was not acquired since: the next guard will say `abandoned`. */
  readonly abandoned: boolean;
  /** The holder; null if nobody holds it. `threadId` is 0 for a main thread. */
  readonly owner: Holder | null;
  /**
   * For how many milliseconds it has been seen held by this owner. It is looked at once a slice (50
   * ms), so the hold may be a slice older, or more if its thread is blocked and nobody waits. null
   * if nobody holds it, or nobody has looked at this hold yet.
   */
  readonly heldFor: number | null;
  /** Acquisitions that wait for it now, in live threads of all processes. */
  readonly waiters: number;
  /**
   * For how many milliseconds the thread has waited that has waited longest; 0 below a slice (50
   * ms). null if nobody waits.
   */
  readonly longestWait: number | null;
  /**
   * Possible deadlocks in which a wait for it takes part, each as the `cycle` of a DeadlockError.
   * It is not certain, because a guard in a variable may be released at any time. Only waits of
   * more than a second are known.
   */
  readonly suspicions: readonly (readonly DeadlockedWait[])[];
  /** Acquisitions since it was made; an RLock counts only outermost ones. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Acquisitions after a holder that died. */
  readonly abandonments: number;
}

/** What Lock and RLock have in common: acquisitions, and a holder that may die. */
export abstract class Owned<K extends 'Lock' | 'RLock'> extends Shared<K> {
  /**
   * Waits until this thread holds the lock. Never blocks the event loop and uses no thread; the
   * wait keeps the process alive. Acquisitions of one thread are served in the order of their
   * calls. Threads and processes compete: the first to try a free lock has it, unless a thread has
   * waited for 3 ms. That one is next, and the others leave the lock free for it.
   *
   * If the holder dies, even by SIGKILL, a waiter has the lock within two slices (100 ms), and its
   * guard says `abandoned`.
   *
   * Rejects with TimeoutError after `timeout`, with `signal.reason` on abort, and with ClosedError
   * on close(); with DeadlockError if it is the youngest of some waits that can never end. A wait
   * that rejected never holds the lock afterwards. Rejects with TypeError or RangeError for a wrong
   * argument.
   */
  async acquire(options?: AcquireOptions): Promise<Guard> {
    return this.takeHold(readAcquire(options));
  }

  /** @internal As acquire() does, whose options have been read. A guard if it was free. */
  takeHold(options: StepOptions | undefined): HeldGuard | Promise<HeldGuard> {
    const { ownership } = this;
    const mustQueue = isWaitedFor(ownership.waiters.tag) && !ownership.mayBypassQueue();
    const acquisition = beginAcquisition(this, 'exclusive', false);
    const guard = mustQueue ? undefined : ownership.tryAcquire();
    if (acquisition !== undefined) {
      const { signal } = options ?? {};
      return follow(acquisition, guard, signal, waitToAcquire, this, ownership, options);
    }
    return guard ?? waitToAcquire(this, ownership, options);
  }

  /**
   * The same, blocking this thread: its event loop stands still meanwhile. A worker that waits can
   * be terminated within a slice (50 ms).
   *
   * @throws TimeoutError after `timeout`.
   * @throws DeadlockError if it is the youngest of some waits that can never end; at once if this
   * thread holds a Lock itself and no `timeout` was given.
   */
  acquireSync(options?: SyncAcquireOptions): Guard {
    options = readSyncAcquire(options);
    const { ownership } = this;
    const acquisition = beginAcquisition(this, 'exclusive', true);
    const guard = ownership.tryAcquire();
    if (acquisition !== undefined) {
      return followSync(acquisition, guard, waitSync, this, ownership, options);
    }
    return guard ?? waitSync(this, ownership, options);
  }

  /**
   * Acquires without waiting, or returns null: the lock is held, or a thread that has waited for
   * 3 ms is next. Does not queue behind pending acquire() calls of the same thread. Takes
   * a few microseconds when the lock is held: it asks whether the holder lives.
   */
  tryAcquire(): Guard | null {
    const acquisition = beginAcquisition(this, 'exclusive', true);
    const guard = this.ownership.tryAcquireOrRescue();
    return (acquisition ? followTry(acquisition, guard) : guard) ?? null;
  }

  /**
   * Acquires, calls `fn`, and releases when its result has settled, whether it returns or throws.
   * Resolves to that result. Waits, and rejects, as acquire() does.
   */
  runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    const acquire = (read: AcquireOptions | undefined) => this.takeHold(read);
    const heldOf = (guard: HeldGuard, counts: boolean) => (counts ? [heldBy(guard)] : []);
    return runHolding(fn, options, acquire, heldOf);
  }

  /**
   * Waits until nobody holds the lock, and does not acquire it: by the time that the promise has
   * resolved, somebody else may hold it. A dead holder holds nothing. Never blocks the event loop;
   * a pending wait keeps the process alive. Waits behind the acquisitions of this thread that wait
   * already. Rejects as acquire() does.
   */
  async waitForRelease(options?: AcquireOptions): Promise<void> {
    options = readAcquire(options);
    await waitUntilFree(this, this.#place, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as acquireSync() does.
   */
  waitForReleaseSync(options?: SyncAcquireOptions): void {
    options = readSyncAcquire(options);
    checkNotOurs(this, this.ownership, options);
    waitUntilFreeSync(this, this.#place, options);
  }

  get #place(): {
    operations: OwnedOperations<Native<'Lock' | 'RLock'>>;
    native: Native<'Lock' | 'RLock'>;
    waitSet: WaitSet;
    need: () => Need;
  } {
    const { native, ownership } = this;
    const need = () => ownership.need();
    return { operations: this.#operations, native, waitSet: ownership.waiters, need };
  }

  /** Whether a live thread holds it at the instant of the call. Does not block. */
  locked(): boolean {
    return this.#operations.locked(this.native);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): LockState {
    const { kind, name } = this;
    const state = this.#operations.inspect(this.native);
    const suspicions = state.waiters > 0 ? suspicionsOf(this.ownership.waiters.tag) : [];
    return { kind, name, ...state, suspicions };
  }

  get #operations(): OwnedOperations<Native<'Lock' | 'RLock'>> {
    return addon[this.kind];
  }

  /** @internal Who holds it. Throws ClosedError after close(). */
  abstract get ownership(): Ownership;

  // ---------------------------------------------------------------- for Condition

  /** @internal Another object that is open to the same lock. */
  abstract reopen(): Owned<K>;

  /** @internal Does the caller hold it? */
  isHeldByCaller(): boolean {
    return this.ownership.isHeldByCaller();
  }

  /** @internal Gives the hold up, whole. */
  suspend(): Suspended {
    const suspended = this.ownership.giveUp();
    publishRelease(this, 'exclusive');
    return suspended;
  }

  /**
   * @internal Waits without a limit until it is the same hold again. True if the last holder died.
   */
  async regain(suspended: Suspended, deadlock: boolean | undefined): Promise<boolean> {
    const { ownership } = this;
    const take = () => {
      // Another task of this thread may hold it: then an RLock would be entered, and its hold
      // become ours.
      const taken = ownership.isHeldByThread() ? undefined : ownership.tryAcquireOrRescue();
      // At once: until we go on, such a task may enter, and has to find the hold that it will
      // release.
      if (taken !== undefined) ownership.resume(suspended);
      return taken;
    };
    const acquisition = beginAcquisition(this, 'exclusive', false);
    let taken = isWaitedFor(ownership.waiters.tag) ? undefined : take();
    const need = () => ({ ...ownership.need(), mustGoOn: true });
    const wait = () => {
      ownership.contend();
      return waitFor(this, { waitSet: ownership.waiters, take, need }, { deadlock });
    };
    if (acquisition !== undefined) taken = await follow(acquisition, taken, undefined, wait);
    return goOnWithout(taken ?? (await wait()));
  }

  /** @internal The same, blocking this thread. */
  regainSync(suspended: Suspended, deadlock: boolean | undefined): boolean {
    const { ownership } = this;
    const acquisition = beginAcquisition(this, 'exclusive', true);
    const free = ownership.tryAcquireOrRescue();
    const wait = () => {
      ownership.contend();
      const need = () => ({ ...ownership.need(), mustGoOn: true });
      const takeWithin = (ms: number) => ownership.wait(ms);
      return waitForSync(this, takeWithin, undefined, {
        need: deadlock === false ? undefined : need,
        turn: ownership.waiters,
      });
    };
    const taken = acquisition ? followSync(acquisition, free, wait) : (free ?? wait());
    ownership.resume(suspended);
    return goOnWithout(taken);
  }
}

/** The hold has a guard already: of the acquisition before it was given up. */
function goOnWithout(guard: HeldGuard): boolean {
  guard.letGo();
  return guard.abandoned;
}

function waitSync(
  lock: Waiter,
  ownership: Ownership,
  options: SyncAcquireOptions | undefined,
): HeldGuard {
  checkNotOurs(lock, ownership, options);
  return waitToAcquireSync(lock, ownership, options);
}

function checkNotOurs(
  lock: Waiter,
  ownership: Ownership,
  options: SyncAcquireOptions | undefined,
): void {
  if (options?.timeout !== undefined || !ownership.isHeldByThread()) return;
  const why = 'this thread holds it, so waiting for it would never end';
  throw wouldWaitForItself({ kind: lock.kind, name: lock.name, how: 'exclusive' }, why);
}
