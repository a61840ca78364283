import { brand } from '../brand.js';
import { type Subject, beginAcquisition } from '../channels.js';
import { resourceOf } from '../deadlocks/pins.js';
import type { Need } from '../deadlocks/record.js';
import { suspicionsOf, wouldWaitForItself } from '../deadlocks/show.js';
import type { DeadlockError } from '../errors.js';
import { follow, followSync, followTry } from '../holds/follow.js';
import { type HeldHere, holdsHere } from '../holds/context.js';
import { type Guard, type HeldGuard, guardOf, heldBy, runHolding } from '../holds/guard.js';
import type { Holds } from '../holds/holds.js';
import type { Native } from '../native/bindings.js';
import { type WritersToBypass, writersToBypass } from '../native/enums.js';
import { addon } from '../native/load.js';
import type { ReadWriteLockState } from './read-write-state.js';
import { Shared } from './shared.js';
import {
  type AcquireOptions,
  type OpenOptions,
  type SyncAcquireOptions,
  readAcquire,
  readOpen,
  readSyncAcquire,
} from '../options.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import type { StepOptions } from '../waiting/deadline.js';
import { waitUntilFree, waitUntilFreeSync } from '../waiting/free-wait.js';
import { type Waitable, isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';

const operations = addon.ReadWriteLock;

/**
 * A lock that many readers may hold *shared*, or one writer *exclusively*. It is the same in every
 * process and worker thread of the user that opens its name. It is POSIX's pthread_rwlock_t, but
 * between processes and safe against crashes. At most 1024 readers hold it at one time; further
 * ones wait.
 *
 * Neither side starves. While a writer waits, no new reader enters. When a writer leaves, the
 * readers that waited go first. A thread that has waited for 3 ms, in either mode, is
 * next: writers give way to it, also one that has just left and acquires again at once.
 *
 * Holders are JS threads. The hold of a reader ends when it dies. The hold of a writer ends, too,
 * but its data may be half changed. So every guard says `abandoned`, up to and including that of
 * the next writer.
 *
 * A shared hold cannot become an exclusive one: two readers that tried would wait for each other.
 * Release first, acquire exclusively, and read the data again.
 *
 * A caller that would wait for itself gets a DeadlockError. The methods that block throw it for a
 * hold of this thread. All methods throw it inside this task's own runShared() or runExclusive(),
 * if they would wait for that hold. A guard of acquireShared() or acquireExclusive() belongs to no
 * task. So if a task has a guard of one mode and awaits the other mode, it waits for itself until
 * its `timeout`.
 */
export class ReadWriteLock extends Shared<'ReadWriteLock'> {
  static {
    brand(this, 'ReadWriteLock');
  }
  readonly #places: Places;

  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Lock does.
   */
  constructor(options: OpenOptions = {}) {
    super('ReadWriteLock', readOpen(options));
    this.#places = new Places(this.native, { kind: this.kind, name: this.name });
  }

  /**
   * Acquires shared: waits until nobody writes or waits to write. Never blocks the event loop; a
   * pending wait keeps the process alive.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError, and then holds nothing. Rejects with
   * DeadlockError inside this task's own runExclusive().
   */
  async acquireShared(options?: AcquireOptions): Promise<Guard> {
    return this.takeShared(readAcquire(options));
  }

  /** @internal As acquireShared() does, whose options have been read. A guard if it was free. */
  takeShared(options: StepOptions | undefined): HeldGuard | Promise<HeldGuard> {
    const { native } = this;
    const { readers } = this.#places;
    const inside = modeHere(native, readers.tag);
    if (inside === 'exclusive') throw this.#deadlock('shared', 'this task', 'writes');
    // A task inside runShared() enters before waiting writers, or it would wait for itself. It is
    // safe while this thread holds the lock shared, because the writers wait for that hold. Without
    // one a writer could be entering just now.
    const bypass = () =>
      inside && operations.isReadByCaller(native)
        ? writersToBypass.waiting
        : writersToBypass.nobody;
    const take = () => guardOf(this.#places, operations.tryShared(native, bypass()));
    const acquisition = beginAcquisition(this, 'shared', false);
    const guard = isWaitedFor(readers.tag) && !inside ? undefined : take();
    const need = () => this.#places.need('shared', bypass() === writersToBypass.waiting);
    const waitable = { waitSet: readers, take, need };
    if (acquisition !== undefined) {
      const wait = () => this.#wait(waitable, options);
      return follow(acquisition, guard, options?.signal, wait);
    }
    return guard ?? this.#wait(waitable, options);
  }

  /**
   * The same, blocking this thread. A thread that reads already enters before waiting writers,
   * because it would wait for itself otherwise. For the same reason any thread enters before its
   * own pending acquireExclusive().
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread writes, or has all the 1024
   * shared holds, and gave no `timeout`.
   */
  acquireSharedSync(options?: SyncAcquireOptions): Guard {
    options = readSyncAcquire(options);
    const { native } = this;
    const places = this.#places;
    const reads = operations.isReadByCaller(native);
    const bypass = reads ? writersToBypass.waiting : writersToBypass.myself;
    const acquisition = beginAcquisition(this, 'shared', true);
    const guard = guardOf(places, operations.tryShared(native, bypass));
    if (acquisition !== undefined) {
      return followSync(acquisition, guard, () => this.#waitSharedSync(bypass, options));
    }
    return guard ?? this.#waitSharedSync(bypass, options);
  }

  #waitSharedSync(bypass: WritersToBypass, options: SyncAcquireOptions | undefined): HeldGuard {
    const { native } = this;
    const places = this.#places;
    const timeout = options?.timeout;
    if (timeout === undefined && operations.isWrittenByCaller(native))
      throw this.#deadlock('shared', 'this thread', 'writes');
    if (timeout === undefined && operations.allHeldByCaller(native))
      throw this.#deadlock('shared', 'this thread', 'has every shared hold');
    if (timeout !== 0) operations.contend(native);
    const take = (ms: number) => guardOf(places, operations.waitShared(native, bypass, ms));
    const needed = () => places.need('shared', bypass === writersToBypass.waiting);
    const need = options?.deadlock === false ? undefined : needed;
    return waitForSync(this, take, timeout, { need, turn: places.readers });
  }

  /** Acquires shared if nobody writes or waits to write; null otherwise. Does not wait. */
  tryAcquireShared(): Guard | null {
    const acquisition = beginAcquisition(this, 'shared', true);
    const outcome = operations.tryShared(this.native, writersToBypass.nobody);
    const guard = guardOf(this.#places, outcome);
    return (acquisition ? followTry(acquisition, guard) : guard) ?? null;
  }

  /**
   * Acquires shared, calls `fn`, and releases when the result of `fn` has settled. Resolves to that
   * result. Waits and rejects as acquireShared() does.
   */
  runShared<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    const acquire = (read: AcquireOptions | undefined) => this.takeShared(read);
    return runHolding(fn, options, acquire, (guard, counts) => this.#heldBy(guard, true, counts));
  }

  /**
   * Acquires exclusively: waits until nobody holds it. Once it is the first waiting writer, no new
   * reader enters. Never blocks the event loop; a pending wait keeps the process alive.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError, and then holds nothing. Rejects with
   * DeadlockError inside this task's own runShared() or runExclusive().
   */
  async acquireExclusive(options?: AcquireOptions): Promise<Guard> {
    return this.takeExclusive(readAcquire(options));
  }

  /** @internal As acquireExclusive() does, whose options have been read. A guard if it was free. */
  takeExclusive(options: StepOptions | undefined): HeldGuard | Promise<HeldGuard> {
    const { native } = this;
    const places = this.#places;
    const { readers, writers } = places;
    const inside = modeHere(native, readers.tag);
    if (inside)
      throw this.#deadlock('exclusive', 'this task', inside === 'shared' ? 'reads' : 'writes');
    const acquisition = beginAcquisition(this, 'exclusive', false);
    const guard = isWaitedFor(writers.tag)
      ? undefined
      : guardOf(places, operations.tryExclusive(native));
    if (guard !== undefined && acquisition === undefined) return guard;
    const waitable: Waitable<HeldGuard> = {
      waitSet: writers,
      take: () => guardOf(places, operations.claimExclusive(native)),
      done: () => operations.withdraw(native),
      need: () => places.need('exclusive'),
    };
    if (acquisition === undefined) return this.#wait(waitable, options);
    return follow(acquisition, guard, options?.signal, () => this.#wait(waitable, options));
  }

  #wait(waitable: Waitable<HeldGuard>, options: StepOptions | undefined): Promise<HeldGuard> {
    if (options?.timeout !== 0) operations.contend(this.native);
    return waitFor(this, waitable, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread reads or writes and gave no
   * `timeout`: it would wait for itself.
   */
  acquireExclusiveSync(options?: SyncAcquireOptions): Guard {
    options = readSyncAcquire(options);
    const { native } = this;
    const places = this.#places;
    const acquisition = beginAcquisition(this, 'exclusive', true);
    const guard = guardOf(places, operations.tryExclusive(native));
    if (acquisition !== undefined) {
      return followSync(acquisition, guard, () => this.#waitExclusiveSync(options));
    }
    return guard ?? this.#waitExclusiveSync(options);
  }

  #waitExclusiveSync(options: SyncAcquireOptions | undefined): HeldGuard {
    const { native } = this;
    const places = this.#places;
    const timeout = options?.timeout;
    if (timeout === undefined) this.#checkNotHeldHere();
    if (timeout !== 0) operations.contend(native);
    const take = (ms: number) => guardOf(places, operations.waitExclusive(native, ms));
    const need = options?.deadlock === false ? undefined : () => places.need('exclusive');
    try {
      return waitForSync(this, take, timeout, { need, turn: places.writers });
    } finally {
      // A pending acquireExclusive() of this thread has the same place in line, and keeps it.
      if (!isWaitedFor(places.writers.tag)) operations.withdraw(native);
    }
  }

  /**
   * Acquires exclusively if nobody holds it, no reader goes first, and no thread that has waited
   * for 3 ms is next; null otherwise. Does not wait.
   */
  tryAcquireExclusive(): Guard | null {
    const acquisition = beginAcquisition(this, 'exclusive', true);
    const guard = guardOf(this.#places, operations.tryExclusive(this.native));
    return (acquisition ? followTry(acquisition, guard) : guard) ?? null;
  }

  /**
   * Acquires exclusively, calls `fn`, and releases when the result of `fn` has settled. Resolves to
   * that result. Waits and rejects as acquireExclusive() does.
   */
  runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    const acquire = (read: AcquireOptions | undefined) => this.takeExclusive(read);
    return runHolding(fn, options, acquire, (guard, counts) => this.#heldBy(guard, false, counts));
  }

  /**
   * Waits until nobody holds it in either mode, and does not acquire it: by the time that the
   * promise has resolved, somebody else may hold it. A dead holder holds nothing. Never blocks the
   * event loop. Waits behind the acquireExclusive() calls of this thread that wait already.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError.
   */
  async waitForRelease(options?: AcquireOptions): Promise<void> {
    options = readAcquire(options);
    await waitUntilFree(this, this.#place, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread reads or writes and gave no
   * `timeout`: it would wait for itself.
   */
  waitForReleaseSync(options?: SyncAcquireOptions): void {
    options = readSyncAcquire(options);
    if (options?.timeout === undefined) this.#checkNotHeldHere();
    waitUntilFreeSync(this, this.#place, options);
  }

  /** Where one waits until nobody holds it. Writers that wait are not in the way. */
  get #place(): {
    operations: typeof operations;
    native: Native<'ReadWriteLock'>;
    waitSet: WaitSet;
    need: () => Need;
  } {
    const places = this.#places;
    const need = () => places.need('exclusive', true);
    return { operations, native: this.native, waitSet: places.writers, need };
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): ReadWriteLockState {
    const { kind, name } = this;
    const state = operations.inspect(this.native);
    const isWaitedFor = state.waitingReaders + state.waitingWriters > 0;
    const suspicions = isWaitedFor ? suspicionsOf(this.#places.readers.tag) : [];
    return { kind, name, ...state, suspicions };
  }

  /** The thread is about to block until nobody holds it. */
  #checkNotHeldHere(): void {
    const { native } = this;
    if (operations.isWrittenByCaller(native))
      throw this.#deadlock('exclusive', 'this thread', 'writes');
    if (operations.isReadByCaller(native))
      throw this.#deadlock('exclusive', 'this thread', 'reads');
  }

  #deadlock(how: Mode, who: string, does: string): DeadlockError {
    const why = `${who} ${does}, so waiting would never end; release first`;
    return wouldWaitForItself({ kind: this.kind, name: this.name, how }, why);
  }

  /** What modeHere() finds, also if it does not count for a deadlock. */
  #heldBy(guard: HeldGuard, isShared: boolean, counts: boolean): HeldHere[] {
    return [{ ...heldBy(guard, isShared), isLoose: !counts }];
  }
}

/**
 * Where one waits for it, and where holds end. Guards keep this, and must not keep the lock alive.
 */
class Places implements Holds {
  readonly readers: WaitSet;
  readonly writers: WaitSet;
  readonly isReleasedByName = false;
  readonly #native: Native<'ReadWriteLock'>;

  constructor(
    native: Native<'ReadWriteLock'>,
    readonly about: Subject,
  ) {
    this.readers = new WaitSet(operations.readers, native);
    this.writers = new WaitSet(operations.writers, native);
    this.#native = native;
  }

  need(how: Mode, passesClaims = false): Need {
    const { kind, name } = this.about;
    return { resource: resourceOf(this.readers.tag), kind, name, how, passesClaims };
  }

  get tag(): number {
    return this.readers.tag;
  }

  isRemoved(): boolean {
    return addon.common.isRemoved(this.#native);
  }

  releaseHold(hold: number): void {
    operations.releaseHold(this.#native, hold);
  }
}

type Mode = 'shared' | 'exclusive';

/**
 * The mode in which the running task is inside the lock by runShared() or runExclusive(). Undefined
 * if it is not, or has released the guard early.
 */
function modeHere(native: Native<'ReadWriteLock'>, tag: number): Mode | undefined {
  for (const { isOver, held } of holdsHere()) {
    if (isOver || held?.tag !== tag) continue;
    const { isShared } = held;
    const isHeld = isShared ? operations.isReadByCaller : operations.isWrittenByCaller;
    if (isHeld(native)) return isShared ? 'shared' : 'exclusive';
  }
  return undefined;
}
