import { DeadlockError, label } from './errors.js';
import { type Guard, HeldGuard } from './guard.js';
import type { NativeAgent, NativeReadWrite } from './native.js';
import { Shared } from './objects.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkFunction,
  checkSyncWait,
  checkWait,
} from './options.js';
import { isWaitedFor, waitFor, waitForSync } from './waits.js';

/** What `inspect()` shows of a ReadWriteLock: a snapshot, old as soon as it is taken. */
export interface ReadWriteLockState {
  readonly kind: 'ReadWriteLock';
  readonly name: string;
  /** Who holds it exclusively; null if nobody does. */
  readonly writer: NativeAgent | null;
  /** The live threads that hold it shared, once for each hold. */
  readonly readers: readonly NativeAgent[];
  /** The last writer died writing, and nobody has written since: guards say `abandoned`. */
  readonly abandoned: boolean;
  readonly waitingReaders: number;
  readonly waitingWriters: number;
  /** Acquisitions since it was made, of both modes. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Exclusive acquisitions after a writer that died. */
  readonly abandonments: number;
}

/**
 * A lock that many may hold *shared* or one may hold *exclusively*, the same in every process and worker
 * thread of the user that opens its name; what pthread_rwlock_t is to threads. At most 1024 may hold it
 * shared at one time; more wait.
 *
 * Nobody starves: once somebody waits for exclusive access no new reader enters, and a writer that
 * leaves lets the readers that waited go first.
 *
 * Holders are JS threads. A reader that dies is no longer there. A writer that dies while writing hands
 * the lock on, and every guard says `abandoned` until somebody has acquired it exclusively: the data may be
 * half changed.
 *
 * There is no way from shared to exclusive: two who tried would wait for each other. Release first, and
 * look again at what you read. A thread that would wait for itself gets a DeadlockError from the forms that
 * block it. The others cannot tell one task of a thread from another: a task that awaits
 * acquireExclusive() while it reads waits for itself for ever, or until its `timeout`.
 */
export class ReadWriteLock extends Shared<'ReadWriteLock', NativeReadWrite> {
  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Lock does.
   */
  constructor(options: OpenOptions = {}) {
    super('ReadWriteLock', options);
  }

  /** Waits until nobody writes or waits to. Waits and rejects as Lock.acquire() does. */
  async acquireShared(options?: WaitOptions): Promise<Guard> {
    if (options !== undefined) {
      checkWait(options);
      options.signal?.throwIfAborted();
    }
    const { native } = this;
    const take = () => native.tryShared(0) || undefined;
    let hold = isWaitedFor(native.readers.tag) ? undefined : take();
    if (hold === undefined) {
      if (options?.timeout !== 0) native.contend();
      hold = await waitFor(this, { source: native.readers, take }, options);
    }
    return new HeldGuard(native, hold);
  }

  /**
   * The same, blocking this thread. A thread that reads already enters past writers that wait, or it
   * would wait for itself.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread writes and gave no `timeout`.
   */
  acquireSharedSync(options?: SyncWaitOptions): Guard {
    if (options !== undefined) checkSyncWait(options);
    const { native } = this;
    const reads = native.readsHere() ? 1 : 0;
    let hold = native.tryShared(reads);
    if (hold === 0) {
      const { timeout } = options ?? {};
      if (timeout === undefined && native.writesHere()) throw this.#deadlock('writes');
      if (timeout !== 0) native.contend();
      hold = waitForSync(this, (ms) => native.waitShared(reads, ms) || undefined, timeout);
    }
    return new HeldGuard(native, hold);
  }

  /** Shared, if nobody writes or waits to; null otherwise. */
  tryAcquireShared(): Guard | null {
    const { native } = this;
    const hold = native.tryShared(0);
    return hold === 0 ? null : new HeldGuard(native, hold);
  }

  /** Acquires shared, calls `fn`, and releases when the result of `fn` has settled. */
  async runShared<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    return run(await this.acquireShared(options), fn);
  }

  /**
   * Waits until nobody else is inside. Waits and rejects as Lock.acquire() does. From the moment that it
   * is first in line no reader enters.
   */
  async acquireExclusive(options?: WaitOptions): Promise<Guard> {
    if (options !== undefined) {
      checkWait(options);
      options.signal?.throwIfAborted();
    }
    const { native } = this;
    let hold = isWaitedFor(native.writers.tag) ? 0 : native.tryExclusive();
    if (hold === 0) {
      if (options?.timeout !== 0) native.contend();
      hold = await waitFor(
        this,
        {
          source: native.writers,
          take: () => native.claimExclusive() || undefined,
          done: () => native.withdraw(),
        },
        options,
      );
    }
    return new HeldGuard(native, hold);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread reads or writes and gave no
   * `timeout`: it would wait for itself.
   */
  acquireExclusiveSync(options?: SyncWaitOptions): Guard {
    if (options !== undefined) checkSyncWait(options);
    const { native } = this;
    let hold = native.tryExclusive();
    if (hold === 0) {
      const { timeout } = options ?? {};
      if (timeout === undefined && native.writesHere()) throw this.#deadlock('writes');
      if (timeout === undefined && native.readsHere()) throw this.#deadlock('reads');
      if (timeout !== 0) native.contend();
      try {
        hold = waitForSync(this, (ms) => native.waitExclusive(ms) || undefined, timeout);
      } finally {
        native.withdraw();
      }
    }
    return new HeldGuard(native, hold);
  }

  /** Exclusively, if nobody is inside; null otherwise. */
  tryAcquireExclusive(): Guard | null {
    const { native } = this;
    const hold = native.tryExclusive();
    return hold === 0 ? null : new HeldGuard(native, hold);
  }

  /** Acquires exclusively, calls `fn`, and releases when the result of `fn` has settled. */
  async runExclusive<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    return run(await this.acquireExclusive(options), fn);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): ReadWriteLockState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }

  #deadlock(does: string): DeadlockError {
    return new DeadlockError(
      `${label(this.kind, this.name)}: this thread ${does}, so waiting would never end`,
      { kind: this.kind, objectName: this.name },
    );
  }
}

async function run<T>(guard: Guard, fn: (guard: Guard) => T | Promise<T>): Promise<Awaited<T>> {
  try {
    return await fn(guard);
  } finally {
    guard.release();
  }
}
