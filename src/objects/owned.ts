// What Lock and RLock have in common: everything but the rule for the holder within a thread.
import { DeadlockError, label } from '../errors.js';
import { type Guard, HeldGuard, type Holder, whileHeld } from '../holds/guard.js';
import type { NativeOwned } from '../native/bindings.js';
import { Shared } from './shared.js';
import {
  type SyncWaitOptions,
  type WaitOptions,
  checkFunction,
  readSyncWait,
  readWait,
} from '../options.js';
import { waitForHoldSync } from '../waiting/blocking-wait.js';
import { isWaitedFor, waitFor, waitForHold } from '../waiting/pending-waits.js';

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
  /** Acquisitions that wait for it now, in live threads of all processes. */
  readonly waiters: number;
  /** Acquisitions since it was made; an RLock counts only outermost ones. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Acquisitions after a holder that died. */
  readonly abandonments: number;
}

/** @internal A hold that was given up to be acquired again. */
export interface Suspended {
  readonly hold: number;
  readonly depth: number;
}

export abstract class Owned<K extends 'Lock' | 'RLock'> extends Shared<K> {
  /**
   * Waits until this thread holds the lock. Never blocks the event loop and uses no thread; the
   * wait keeps the process alive. Acquisitions of one thread are served in the order of their
   * calls. Threads and processes compete: the first to try a free lock has it.
   *
   * If the holder dies, even by SIGKILL, a waiter has the lock within two slices (100 ms), and its
   * guard says `abandoned`.
   *
   * Rejects with TimeoutError after `timeout`, with `signal.reason` on abort, and with ClosedError
   * on close(). A wait that rejected never holds the lock afterwards. Rejects with TypeError or
   * RangeError for a wrong argument.
   */
  async acquire(options?: WaitOptions): Promise<Guard> {
    options = readWait(options);
    const native = this.native;
    let hold = isWaitedFor(native.tag) && !this.mayBypassQueue(native) ? 0 : native.tryFree();
    if (hold === 0) hold = await waitForHold(this, options);
    return new HeldGuard(native, hold);
  }

  /**
   * The same, blocking this thread: its event loop stands still meanwhile. A worker that waits can
   * be terminated within a slice (50 ms).
   *
   * @throws TimeoutError after `timeout`.
   * @throws DeadlockError if this thread holds a Lock itself and no `timeout` was given.
   */
  acquireSync(options?: SyncWaitOptions): Guard {
    options = readSyncWait(options);
    const native = this.native;
    let hold = native.tryFree();
    if (hold === 0) hold = this.#waitSync(options);
    return new HeldGuard(native, hold);
  }

  #waitSync(options: SyncWaitOptions | undefined): number {
    if (options?.timeout === undefined && this.native.heldByMe()) {
      throw new DeadlockError(
        `${label(this.kind, this.name)}: this thread holds it, so waiting for it would never end`,
        { kind: this.kind, objectName: this.name },
      );
    }
    return waitForHoldSync(this, options?.timeout);
  }

  /**
   * Acquires without waiting, or returns null. Does not queue behind pending acquire() calls of the
   * same thread. Takes a few microseconds when the lock is held: it asks whether the holder lives.
   */
  tryAcquire(): Guard | null {
    const native = this.native;
    const hold = native.tryAcquire();
    return hold === 0 ? null : new HeldGuard(native, hold);
  }

  /**
   * Acquires, calls `fn`, and releases when its result has settled, whether it returns or throws.
   * Resolves to that result. Waits, and rejects, as acquire() does.
   */
  async runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    return whileHeld(await this.acquire(options), fn);
  }

  /** Whether a live thread holds it at the instant of the call. Does not block. */
  locked(): boolean {
    return this.native.locked();
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): LockState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }

  // ---------------------------------------------------------------- for Condition

  /** @internal Another object that is open to the same lock. */
  abstract reopen(): Owned<K>;

  /** @internal Does the caller hold it? */
  isHeldByCaller(): boolean {
    return this.native.heldByMe();
  }

  /** @internal Gives the hold up, whole. */
  suspend(): Suspended {
    const { native } = this;
    const depth = native.depth();
    return { hold: native.giveUp(), depth };
  }

  /**
   * @internal Waits without a limit until it is the same hold again. True if the last holder died.
   */
  async regain({ hold, depth }: Suspended): Promise<boolean> {
    const { native } = this;
    const take = () => {
      // Another task of this thread may hold it: then an RLock would be entered, and its hold
      // become ours.
      const taken = native.heldByMe() ? 0 : native.tryAcquire();
      if (taken === 0) return undefined;
      // At once: until we go on, such a task may enter, and has to find the hold that it will
      // release.
      native.resume(hold, depth);
      return taken;
    };
    let taken = isWaitedFor(native.tag) ? undefined : take();
    if (taken === undefined) {
      native.contend();
      taken = await waitFor(this, { waitSet: native, take }, undefined);
    }
    return taken < 0;
  }

  /** @internal The same, blocking this thread. */
  regainSync({ hold, depth }: Suspended): boolean {
    const { native } = this;
    const taken = native.tryAcquire() || waitForHoldSync(this, undefined);
    native.resume(hold, depth);
    return taken < 0;
  }

  /** @internal May an acquisition by this caller succeed although others in the thread wait? */
  protected abstract mayBypassQueue(native: NativeOwned): boolean;
}
