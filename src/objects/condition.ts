import {
  CorruptError,
  HeldError,
  IncompatibleError,
  NoSpaceError,
  NotOwnerError,
  TimeoutError,
  label,
} from '../errors.js';
import type { Guard } from '../holds/guard.js';
import { Lock } from './lock.js';
import type { NativeCondition } from '../native/bindings.js';
import { kinds, slice_ms, waitStatus } from '../native/enums.js';
import { addon } from '../native/load.js';
import {
  type Handle,
  Shared,
  anonymous,
  anonymousName,
  ownLockName,
  unlinkIfThere,
} from './shared.js';
import {
  type RLockOptions,
  type RLockScope,
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  checkFunction,
  checkNoPromise,
  checkOpen,
  checkScope,
  checkSyncWait,
  checkWait,
  rlockOptions,
} from '../options.js';
import { RLock, type RLockHandle } from './rlock.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { type Step, type Steps, run, runSync, take } from '../waiting/steps.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { type Waitable, waitFor } from '../waiting/pending-waits.js';

/** Shorter than any wait that is worth a name, but not 0, with which a wait would not even look. */
const leastWait_ms = 0.001;

/** What a wait that was notified resolves to. */
export interface Wakeup {
  /** Whoever held the lock last died holding it: check the data that it guards. */
  readonly abandoned: boolean;
}

/** What toJSON() of a Condition gives; attach() opens its lock with the same scope. */
export interface ConditionHandle extends Handle<'Condition'> {
  readonly scope?: RLockScope | undefined;
}

/** What `inspect()` shows of a Condition: a snapshot, old as soon as it is taken. */
export interface ConditionState {
  readonly kind: 'Condition';
  readonly name: string;
  /** Waits that have not been notified, in live threads of all processes. */
  readonly waiters: number;
  /** Notifications since it was made. */
  readonly notifications: number;
}

/**
 * A condition variable over a Lock or RLock, the same in every process and worker thread of the user that
 * opens its name. Like Python's `multiprocessing.Condition`, and POSIX' pthread_cond_t.
 *
 * wait() gives the lock up (an RLock however deep), waits to be notified, and has the lock again, as deep
 * as before, when it ends, however it ends. First come, first notified.
 *
 * A notification is never lost to a waiter that dies or gives up before it has the lock again: the next
 * in line gets it. A notifier that is killed has notified as many as it had got to. A wait may end
 * without a reason after two deaths in a row at the wrong instants; as with every condition variable,
 * waitFor() a predicate rather than once.
 */
export class Condition extends Shared<'Condition', NativeCondition> {
  /** The caller's handle of the lock. */
  readonly #lock!: Lock | RLock;
  readonly #madeLock: boolean = false;
  /** The condition's: open for as long as the condition is, whatever the caller closes. */
  readonly #own!: Lock | RLock;

  /**
   * Opens the condition, or makes it over `lock`; without one it has an RLock of its own, which is found
   * again by the condition's name; `scope` is that RLock's. Blocks only while another process has the directory locked. At most
   * 1024 waits at one time.
   *
   * @throws IncompatibleError if it exists over another lock; ClosedError if `lock` was closed; otherwise
   * as Lock.
   */
  constructor(lock?: Lock | RLock, options: RLockOptions = {}) {
    if (lock !== undefined && !(lock instanceof Lock) && !(lock instanceof RLock)) {
      throw new TypeError('lock must be a Lock or an RLock');
    }
    checkOpen(options, rlockOptions);
    checkScope(options);
    if (lock !== undefined && options.scope !== undefined) {
      throw new TypeError('scope is for a condition without a lock of yours: that one has its own');
    }
    if (lock !== undefined) void lock.native; // closed?
    const name = options.name ?? anonymousName();
    const named = options.name === undefined ? { ...options, name, [anonymous]: true } : options;
    super('Condition', named, {
      optionNames: rlockOptions,
      lock: {
        kind: lock?.kind ?? 'RLock',
        name: lock?.name ?? ownLockName(name),
        given: lock !== undefined,
      },
    });
    try {
      this.#own = lock ? lock.again() : this.#openLock(named);
      this.#lock = lock ?? this.#own.again();
      this.#madeLock = lock === undefined;
    } catch (error) {
      this.close();
      throw error;
    }
    if (!this.native.bind(this.#own.native.tag)) {
      this.close();
      throw new IncompatibleError(
        `${label('Condition', this.name)}: the name of its lock has been given to another one since it was made`,
        { kind: 'Condition', objectName: this.name },
      );
    }
  }

  #openLock(options: RLockOptions): Lock | RLock {
    const { lockKind, lockName } = this.native;
    const isOwn = lockName === ownLockName(this.name);
    // Made if need be, so what is read in a file must not say what is made.
    if (isOwn && lockKind !== kinds.RLock) {
      throw new CorruptError(`${label('Condition', this.name)}: the kind of its lock is wrong`, {
        kind: 'Condition',
        objectName: this.name,
      });
    }
    if (lockKind === kinds.Lock) return new Lock({ name: lockName, mustExist: true });
    const opening: RLockOptions = isOwn
      ? { ...options, name: lockName, mustExist: false, exclusive: false }
      : { name: lockName, mustExist: true, scope: options.scope };
    return new RLock(opening);
  }

  /**
   * The lock that it goes with: the one that was given, or a handle of the condition's own, which is closed
   * with the condition. What is called on the condition works on even if this one is closed.
   */
  get lock(): Lock | RLock {
    return this.#lock;
  }

  // ---------------------------------------------------------------- the lock

  /** As the lock's. */
  acquire(options?: WaitOptions): Promise<Guard> {
    return this.#own.acquire(options);
  }

  /** As the lock's. */
  acquireSync(options?: SyncWaitOptions): Guard {
    return this.#own.acquireSync(options);
  }

  /** As the lock's. */
  tryAcquire(): Guard | null {
    return this.#own.tryAcquire();
  }

  /** As the lock's. */
  runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    return this.#own.runExclusive(fn, options);
  }

  /** As the lock's. */
  release(): void {
    this.#own.release();
  }

  /** As the lock's. */
  locked(): boolean {
    return this.#own.locked();
  }

  // ---------------------------------------------------------------- waiting

  /**
   * Gives the lock up, waits until it is notified, and acquires the lock again. Never blocks the event
   * loop. `timeout` counts until the notification; the lock is waited for without a limit.
   *
   * Rejects with NotOwnerError if the lock is not held; with TimeoutError, `signal.reason` or ClosedError;
   * the lock is held again then, too.
   */
  async wait(options?: WaitOptions): Promise<Wakeup> {
    checkWait(options);
    return this.#wait(new Deadline({ ...options }));
  }

  #wait(deadline: Deadline): Promise<Wakeup> {
    return this.retain((native) => run(this.#steps(native, deadline)));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as wait() rejects.
   */
  waitSync(options?: SyncWaitOptions): Wakeup {
    checkSyncWait(options);
    return this.#waitSync(new Deadline({ ...options }));
  }

  #waitSync(deadline: Deadline): Wakeup {
    return runSync(this.#steps(this.native, deadline));
  }

  /** Both forms of a wait. The lock is held at the first step and again at the end. */
  *#steps(native: NativeCondition, deadline: Deadline): Steps<Wakeup> {
    const place = this.#begin(native);
    const held = this.#own.suspend();
    const lock: Step<boolean> = {
      async: () => this.#own.regain(held),
      sync: () => this.#own.regainSync(held),
    };
    let abandoned = false;
    let failure: { error: unknown } | undefined;
    let holds = false;
    while (!failure && !holds) {
      try {
        const how = yield* take(this.#notice(native, place, deadline.step(leastWait_ms)));
        if (how === waitStatus.notified) break;
        // Somebody died on the way from its notification to the lock.
        abandoned = (yield* take(lock)) || abandoned;
        native.rescue();
        holds = native.look(place) === waitStatus.notified;
        if (!holds) this.#own.suspend();
      } catch (error) {
        failure = { error };
      }
    }
    if (!holds) abandoned = (yield* take(lock)) || abandoned;
    return this.#end(native, place, failure, abandoned);
  }

  /** What becomes of the wait at `place`. */
  #notice(native: NativeCondition, place: number, options: StepOptions): Step<number> {
    const waitable: Waitable<number> = {
      waitSet: native,
      take: () => native.look(place) || undefined,
      retryAll: true,
    };
    const takeWithin = (ms: number) => native.wait(place, ms) || undefined;
    return {
      async: () => waitFor(this, waitable, options),
      sync: () => waitForSync(this, takeWithin, options.timeout, options.given),
    };
  }

  #begin(native: NativeCondition): number {
    this.#checkHeld('wait');
    const place = native.begin();
    if (place >= 0) return place;
    throw new NoSpaceError(
      `${label('Condition', this.name)}: ${addon.maxConditionWaits} waits are the most at one time`,
      { kind: 'Condition', objectName: this.name },
    );
  }

  /** With the lock held again. */
  #end(
    native: NativeCondition,
    place: number,
    failure: { error: unknown } | undefined,
    abandoned: boolean,
  ): Wakeup {
    const notified = native.finish(place);
    if (!failure) return { abandoned };
    // Notified after all: a wait that timed out has been woken all the same; one that was given up gives the
    // notification on.
    if (notified && failure.error instanceof TimeoutError) return { abandoned };
    if (notified) native.notify(1);
    throw failure.error;
  }

  /**
   * Waits until `predicate`, called with the lock held, returns something true, and resolves to that. It is
   * called once at first and then after each notification; it is told of the last Wakeup.
   *
   * Rejects as wait() does, and with what `predicate` throws.
   */
  async waitFor<T>(
    predicate: (wakeup?: Wakeup) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('predicate', predicate);
    checkWait(options);
    this.#checkHeld('wait');
    const deadline = new Deadline({ ...options });
    let result = await predicate();
    while (!result) {
      options?.signal?.throwIfAborted();
      result = await predicate(await this.#wait(deadline));
    }
    return result;
  }

  /** The same, blocking this thread. `predicate` must not be asynchronous. */
  waitForSync<T>(predicate: (wakeup?: Wakeup) => T, options?: SyncWaitOptions): T {
    checkFunction('predicate', predicate);
    checkSyncWait(options);
    this.#checkHeld('wait');
    const deadline = new Deadline({ ...options });
    // A promise would be true, whatever it resolves to.
    const call = (...wakeup: [Wakeup?]) =>
      checkNoPromise('waitForSync() cannot wait for a predicate', predicate(...wakeup));
    let result = call();
    while (!result) result = call(this.#waitSync(deadline));
    return result;
  }

  /**
   * Wakes the `n` waits that began first, 1 to 1024, or as many as there are, and returns how many. They go on
   * when the lock is theirs. Does not block.
   *
   * @throws NotOwnerError if the lock is not held.
   */
  notify(n = 1): number {
    if (n !== 1) checkCount('n', n, 1, addon.maxConditionWaits);
    this.#checkHeld('notify');
    return this.native.notify(n);
  }

  /** Wakes every wait, and returns how many. As notify(). */
  notifyAll(): number {
    this.#checkHeld('notify');
    return this.native.notify(addon.maxConditionWaits);
  }

  #checkHeld(what: string): void {
    void this.native; // closed?
    if (this.#own.mine()) return;
    throw new NotOwnerError(
      `${label('Condition', this.name)}: ${what} without holding its ${label(this.#lock.kind, this.#lock.name)}`,
      { kind: 'Condition', objectName: this.name },
    );
  }

  // ---------------------------------------------------------------- the rest

  /** A token that attach() turns into this object in another process. Does not block. */
  override toJSON(): ConditionHandle {
    const { scope } = this.#lock.toJSON() as RLockHandle;
    return scope === undefined ? super.toJSON() : { ...super.toJSON(), scope };
  }

  /**
   * Closes this handle, and `lock` if that was not given. Waits reject with ClosedError once they have the
   * lock again. Idempotent.
   *
   * @throws HeldError if this thread holds the lock, and acquired it through this condition: by acquire(),
   * by a wait, or by the `lock` of one that was not given.
   */
  override close(): void {
    // Waits that are going on need it to the end, so it is closed after them.
    if (this.isOpen && this.#own) {
      for (const lock of this.#locks()) if (!lock.native.mayClose()) lock.close();
    }
    super.close();
  }

  /** Those of its handles of the lock that are to be closed. */
  #locks(): (Lock | RLock)[] {
    const ours = this.#madeLock ? [this.#own, this.#lock] : [this.#own];
    return ours.filter((lock) => lock?.isOpen);
  }

  /** @internal */
  protected override closed(): void {
    for (const lock of this.#locks()) closeOnceReleased(lock);
  }

  /**
   * Takes the name away, now, and that of its own lock. Those who have it open keep it.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  override unlink(): void {
    super.unlink();
    const lockName = ownLockName(this.name);
    if (this.#own.name === lockName) unlinkIfThere('RLock', lockName);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): ConditionState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }
}

/** A wait that ended with ClosedError has brought the lock back: then its handle goes once it is free. */
function closeOnceReleased(lock: Lock | RLock): void {
  try {
    lock.close();
  } catch (error) {
    if (!(error instanceof HeldError)) throw error;
    setTimeout(closeOnceReleased, slice_ms, lock).unref();
  }
}
