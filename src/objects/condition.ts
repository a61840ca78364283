import { brand } from '../brand.js';
import { IncompatibleError, NoSpaceError, NotOwnerError, TimeoutError, label } from '../errors.js';
import type { Guard } from '../holds/guard.js';
import type { Native } from '../native/bindings.js';
import { waitStatus } from '../native/enums.js';
import { addon } from '../native/load.js';
import {
  type AcquireOptions,
  type RLockOptions,
  type RLockScope,
  type SyncAcquireOptions,
  checkCount,
  checkFunction,
  checkNoPromise,
  readOpen,
  checkScope,
  readSyncAcquire,
  readAcquire,
  rlockOptions,
} from '../options.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { type Step, type Steps, run, runSync, take } from '../waiting/steps.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { type Waitable, waitFor } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';
import { ConditionLock } from './condition-lock.js';
import { Lock } from './lock.js';
import { RLock, type RLockHandle } from './rlock.js';
import { type Handle, Shared, anonymous, anonymousName, ownLockName } from './shared.js';

/** What a wait that was notified resolves to. */
export interface Wakeup {
  /** True if the last holder of the lock died while it held it: check the data that it guards. */
  readonly abandoned: boolean;
}

/** What toJSON() of a Condition gives; attach() opens its lock with the same scope. */
export interface ConditionHandle extends Handle<'Condition'> {
  /** The scope of its RLock, if it is not the default. */
  readonly scope?: RLockScope | undefined;
}

/** What `inspect()` shows of a Condition: a snapshot, which may be out of date when it is read. */
export interface ConditionState {
  /** The class of the object. */
  readonly kind: 'Condition';
  /** The name that it was opened with. */
  readonly name: string;
  /** Waits that have not been notified, in live threads of all processes. */
  readonly waiters: number;
  /** Waits that have been notified since the condition was made. */
  readonly notifications: number;
}

const operations = addon.Condition;

/** The shortest step of a wait. With 0 it would not even look. */
const shortestStep_ms = 0.001;

/**
 * A condition variable over a Lock or RLock, the same in every process and worker thread of the
 * user that opens its name. Like Python's `multiprocessing.Condition`, and POSIX' pthread_cond_t.
 *
 * wait() gives the lock up (an RLock of any depth), waits for a notification, and acquires the lock
 * again with the same depth. It holds the lock again also when it ends by a timeout or an abort.
 * Waits are notified in the order in which they began.
 *
 * If a waiter dies or gives up after its notification and before it has the lock, the next waiter
 * gets the notification. If a process is killed inside notify(), some waiters have their
 * notification, and the others wait on. As with every condition variable, a wait may end without a
 * notification: it needs two deaths in a row at certain instants. So use waitFor() with a predicate
 * instead of a single wait().
 */
export class Condition extends Shared<'Condition'> {
  static {
    brand(this, 'Condition');
  }
  // Undefined while the constructor has not got so far: it may call close().
  readonly #lock!: ConditionLock | undefined;
  readonly #waiters: WaitSet;

  /**
   * Opens the condition, or makes it over `lock`. Without a lock it has an RLock of its own, which
   * is found again by the condition's name; `scope` is that RLock's. Blocks only while another
   * process has the directory locked. At most 1024 waits are possible at one time.
   *
   * @throws IncompatibleError if it exists over another lock; ClosedError if `lock` was closed;
   * otherwise as Lock.
   */
  constructor(lock?: Lock | RLock, options: RLockOptions = {}) {
    if (lock !== undefined && !(lock instanceof Lock) && !(lock instanceof RLock)) {
      throw new TypeError('lock must be a Lock or an RLock');
    }
    const read = readOpen(options, rlockOptions);
    checkScope(read);
    if (lock !== undefined && read.scope !== undefined) {
      throw new TypeError('scope is for a condition without a lock of yours: that one has its own');
    }
    if (lock !== undefined) void lock.native; // closed?
    const name = read.name ?? anonymousName();
    const named = read.name === undefined ? { ...read, name, [anonymous]: true } : read;
    super('Condition', named, {
      lock: {
        kind: lock?.kind ?? 'RLock',
        name: lock?.name ?? ownLockName(name),
        given: lock !== undefined,
      },
    });
    this.#waiters = new WaitSet(operations.waiters, this.native);
    try {
      this.#lock = lock ? ConditionLock.given(lock) : ConditionLock.of(this, named);
    } catch (error) {
      this.close();
      throw error;
    }
    if (!operations.bind(this.native, this.#inner.ownership.waiters.tag)) {
      this.close();
      throw new IncompatibleError(
        `${label('Condition', this.name)}: the name of its lock has been given to another one since it was made`,
        { kind: 'Condition', objectName: this.name },
      );
    }
  }

  /**
   * The lock that it goes with: the one that was given, or the condition's own, which is closed
   * with the condition. The methods of the condition work even if this object is closed.
   */
  get lock(): Lock | RLock {
    return this.#lock!.outer;
  }

  /** The object of the lock that the condition itself uses. */
  get #inner(): Lock | RLock {
    return this.#lock!.inner;
  }

  // ---------------------------------------------------------------- the lock

  /** Acquires the lock; waits and rejects as `lock.acquire()`. */
  acquire(options?: AcquireOptions): Promise<Guard> {
    return this.#inner.acquire(options);
  }

  /** Acquires the lock, blocking this thread, as `lock.acquireSync()`. */
  acquireSync(options?: SyncAcquireOptions): Guard {
    return this.#inner.acquireSync(options);
  }

  /** Acquires the lock if that needs no wait, as `lock.tryAcquire()`; null if not. */
  tryAcquire(): Guard | null {
    return this.#inner.tryAcquire();
  }

  /** Acquires the lock, calls `fn`, and releases, as `lock.runExclusive()`. */
  runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    return this.#inner.runExclusive(fn, options);
  }

  /** Releases the lock, as `lock.release()`. */
  release(): void {
    this.#inner.release();
  }

  /** Whether a live thread holds the lock, as `lock.locked()`. */
  locked(): boolean {
    return this.#inner.locked();
  }

  // ---------------------------------------------------------------- waiting

  /**
   * Gives the lock up, waits until it is notified, and acquires the lock again. Never blocks the
   * event loop; a pending wait keeps the process alive. `timeout` (milliseconds) counts until the
   * notification; after it the lock is waited for without a limit. That second wait never ends with
   * a DeadlockError, but other waits do because of it, unless `deadlock` is false.
   *
   * Rejects with NotOwnerError if the lock is not held, and with NoSpaceError if 1024 others wait;
   * nothing has happened then. Rejects with TimeoutError, `signal.reason` or ClosedError; the lock
   * is held again then, too.
   */
  async wait(options?: AcquireOptions): Promise<Wakeup> {
    options = readAcquire(options);
    return this.#wait(new Deadline(options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as wait() rejects.
   */
  waitSync(options?: SyncAcquireOptions): Wakeup {
    options = readSyncAcquire(options);
    return this.#waitSync(new Deadline(options));
  }

  #wait(deadline: Deadline): Promise<Wakeup> {
    return this.retain((native) => run(this.#steps(native, deadline)));
  }

  #waitSync(deadline: Deadline): Wakeup {
    return runSync(this.#steps(this.native, deadline));
  }

  /** A wait, in both forms. The lock is held at the beginning and again at the end. */
  *#steps(native: Native<'Condition'>, deadline: Deadline): Steps<Wakeup> {
    const lock = this.#inner;
    const place = this.#begin(native);
    const held = lock.suspend();
    const regained: Step<boolean> = {
      async: () => lock.regain(held, deadline.deadlock),
      sync: () => lock.regainSync(held, deadline.deadlock),
    };
    let abandoned = false;
    let failure: { error: unknown } | undefined;
    let holds = false;
    while (!failure && !holds) {
      try {
        const step = deadline.step(shortestStep_ms);
        const status = yield* take(this.#notice(native, place, step));
        if (status === waitStatus.notified) break;
        // Somebody died between its notification and the lock, so its notification is free. Who
        // gives it on has to hold the lock.
        abandoned = (yield* take(regained)) || abandoned;
        operations.rescue(native);
        holds = operations.statusOf(native, place) === waitStatus.notified;
        if (!holds) lock.suspend();
      } catch (error) {
        failure = { error };
      }
    }
    if (!holds) abandoned = (yield* take(regained)) || abandoned;
    return this.#end(native, place, failure, abandoned);
  }

  /** Waits until something has become of the wait at `place`. */
  #notice(native: Native<'Condition'>, place: number, options: StepOptions): Step<number> {
    const waitable: Waitable<number> = {
      waitSet: this.#waiters,
      take: () => operations.statusOf(native, place) || undefined,
      retryAll: true,
    };
    const takeWithin = (ms: number) => operations.wait(native, place, ms) || undefined;
    return {
      async: () => waitFor(this, waitable, options),
      sync: () => waitForSync(this, takeWithin, options.timeout, options),
    };
  }

  /** Enters a wait into the condition, and returns its place there. */
  #begin(native: Native<'Condition'>): number {
    this.#checkHeld('wait');
    const place = operations.begin(native);
    if (place >= 0) return place;
    throw new NoSpaceError(
      `${label('Condition', this.name)}: ${addon.maxConditionWaits} waits are the most at one time`,
      { kind: 'Condition', objectName: this.name },
    );
  }

  /** Takes the wait out again, with the lock held. */
  #end(
    native: Native<'Condition'>,
    place: number,
    failure: { error: unknown } | undefined,
    abandoned: boolean,
  ): Wakeup {
    const notified = operations.finish(native, place);
    if (!failure) return { abandoned };
    // It was notified after its wait had failed. A wait that timed out was woken all the same; one
    // that was given up hands the notification to the next.
    if (notified && failure.error instanceof TimeoutError) return { abandoned };
    if (notified) operations.notify(native, 1);
    throw failure.error;
  }

  /**
   * Waits until `predicate`, called with the lock held, returns something truthy, and resolves to
   * that. The predicate is called once at first and then after each notification; it is given the
   * last Wakeup. `timeout` is for all of it together.
   *
   * Rejects as wait() does, and with what `predicate` throws.
   */
  async waitFor<T>(
    predicate: (wakeup?: Wakeup) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    checkFunction('predicate', predicate);
    options = readAcquire(options);
    this.#checkHeld('wait');
    const deadline = new Deadline(options);
    let result = await predicate();
    while (!result) {
      options?.signal?.throwIfAborted();
      result = await predicate(await this.#wait(deadline));
    }
    return result;
  }

  /**
   * The same, blocking this thread. `predicate` must not be asynchronous.
   *
   * @throws as waitFor() rejects; TypeError if the predicate returns a promise.
   */
  waitForSync<T>(predicate: (wakeup?: Wakeup) => T, options?: SyncAcquireOptions): T {
    checkFunction('predicate', predicate);
    options = readSyncAcquire(options);
    this.#checkHeld('wait');
    const deadline = new Deadline(options);
    // A promise would be truthy, whatever it resolves to.
    const call = (...wakeup: [Wakeup?]) =>
      checkNoPromise('waitForSync() cannot wait for a predicate', predicate(...wakeup));
    let result = call();
    while (!result) result = call(this.#waitSync(deadline));
    return result;
  }

  /**
   * Wakes the `n` waits that began first, 1 to 1024, or as many as there are, and returns how many.
   * They go on when they have the lock. Does not block.
   *
   * @throws NotOwnerError if the lock is not held.
   */
  notify(n = 1): number {
    if (n !== 1) checkCount('n', n, 1, addon.maxConditionWaits);
    this.#checkHeld('notify');
    return operations.notify(this.native, n);
  }

  /** Wakes every wait, and returns how many there were. Otherwise as notify(). */
  notifyAll(): number {
    this.#checkHeld('notify');
    return operations.notify(this.native, addon.maxConditionWaits);
  }

  #checkHeld(what: string): void {
    void this.native; // closed?
    if (this.#inner.isHeldByCaller()) return;
    const { kind, name } = this.lock;
    throw new NotOwnerError(
      `${label('Condition', this.name)}: ${what} without holding its ${label(kind, name)}`,
      { kind: 'Condition', objectName: this.name },
    );
  }

  // ---------------------------------------------------------------- the end

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): ConditionHandle {
    const { scope } = this.lock.toJSON() as RLockHandle;
    return scope === undefined ? super.toJSON() : { ...super.toJSON(), scope };
  }

  /**
   * Closes this object, and `lock` if that was not given. Pending waits reject with ClosedError
   * once they have the lock again. A second call does nothing. Blocks as the close() of every
   * object does.
   *
   * @throws HeldError if this thread holds the lock, and acquired it through this condition: by
   * acquire(), by a wait, or by the `lock` of one that was not given.
   */
  override close(): void {
    // Pending waits need the lock to the end, so closed() closes it after them.
    if (this.isOpen) this.#lock?.checkNotHeld();
    super.close();
  }

  /** @internal */
  protected override closed(): void {
    this.#lock?.close();
  }

  /**
   * Takes the name away, and that of the condition's own lock. Those who have it open keep it.
   * Blocks only while another process has the directory locked.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  override unlink(): void {
    super.unlink();
    this.#lock!.unlink(this.name);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): ConditionState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }
}
