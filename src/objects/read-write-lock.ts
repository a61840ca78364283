import { DeadlockError, label } from '../errors.js';
import { type Guard, HeldGuard, type Holder } from '../holds/guard.js';
import { Hold, context, holdingsWith, holdsHere } from '../holds/context.js';
import type { NativeReadWrite } from '../native/bindings.js';
import { writersToBypass } from '../native/enums.js';
import { Shared } from './shared.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkFunction,
  checkSyncWait,
  checkWait,
} from '../options.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';

/** What `inspect()` shows of a ReadWriteLock: a snapshot, which may be out of date when it is read. */
export interface ReadWriteLockState {
  /** The class of the object. */
  readonly kind: 'ReadWriteLock';
  /** The name that it was opened with. */
  readonly name: string;
  /** Who holds it exclusively; null if nobody does. */
  readonly writer: Holder | null;
  /** The live threads that hold it shared, once for each hold. */
  readonly readers: readonly Holder[];
  /** The last writer died writing, and nobody has written since: guards say `abandoned`. */
  readonly abandoned: boolean;
  /** Shared acquisitions that wait now, in live threads of all processes. */
  readonly waitingReaders: number;
  /** Exclusive acquisitions that wait now, in live threads of all processes. */
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
 * look again at what you read. Whoever would wait for itself gets a DeadlockError: a thread from the
 * forms that block it, a task from all forms inside its own runShared() or runExclusive(). To acquireShared()
 * and acquireExclusive() with a guard one task of a thread is like another: a task that awaits the one while
 * it holds a guard of the other waits until its `timeout`.
 */
export class ReadWriteLock extends Shared<'ReadWriteLock'> {
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
    checkWait(options);
    const { native } = this;
    const inside = modeHere(native);
    if (inside === 'exclusive') throw this.#deadlock('this task', 'writes');
    // As in acquireSharedSync(): past a writer that waits for this thread, and so cannot come in meanwhile.
    // One that does not wait for it could be entering just now.
    const bypass = () =>
      inside && native.readsHere() ? writersToBypass.waiting : writersToBypass.nobody;
    const take = () => native.tryShared(bypass()) || undefined;
    let hold = isWaitedFor(native.readers.tag) && !inside ? undefined : take();
    if (hold === undefined) {
      if (options?.timeout !== 0) native.contend();
      hold = await waitFor(this, { waitSet: native.readers, take }, options);
    }
    return new HeldGuard(native, hold);
  }

  /**
   * The same, blocking this thread. A thread that reads already enters past writers that wait, or it
   * would wait for itself; any thread enters past its own acquireExclusive() that waits.
   *
   * @throws TimeoutError after `timeout`; DeadlockError if this thread writes, or has all the 1024 shared
   * holds, and gave no `timeout`.
   */
  acquireSharedSync(options?: SyncWaitOptions): Guard {
    checkSyncWait(options);
    const { native } = this;
    const bypass = native.readsHere() ? writersToBypass.waiting : writersToBypass.myself;
    let hold = native.tryShared(bypass);
    if (hold === 0) {
      const { timeout } = options ?? {};
      if (timeout === undefined && native.writesHere())
        throw this.#deadlock('this thread', 'writes');
      if (timeout === undefined && native.allMine())
        throw this.#deadlock('this thread', 'has every shared hold');
      if (timeout !== 0) native.contend();
      hold = waitForSync(this, (ms) => native.waitShared(bypass, ms) || undefined, timeout);
    }
    return new HeldGuard(native, hold);
  }

  /** Shared, if nobody writes or waits to; null otherwise. */
  tryAcquireShared(): Guard | null {
    const { native } = this;
    const hold = native.tryShared(writersToBypass.nobody);
    return hold === 0 ? null : new HeldGuard(native, hold);
  }

  /** Acquires shared, calls `fn`, and releases when the result of `fn` has settled. */
  async runShared<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkFunction('fn', fn);
    return this.#run('shared', await this.acquireShared(options), fn);
  }

  /**
   * Waits until nobody else is inside. Waits and rejects as Lock.acquire() does. From the moment that it
   * is first in line no reader enters.
   */
  async acquireExclusive(options?: WaitOptions): Promise<Guard> {
    checkWait(options);
    const { native } = this;
    const inside = modeHere(native);
    if (inside) throw this.#deadlock('this task', inside === 'shared' ? 'reads' : 'writes');
    let hold = isWaitedFor(native.writers.tag) ? 0 : native.tryExclusive();
    if (hold === 0) {
      if (options?.timeout !== 0) native.contend();
      hold = await waitFor(
        this,
        {
          waitSet: native.writers,
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
    checkSyncWait(options);
    const { native } = this;
    let hold = native.tryExclusive();
    if (hold === 0) {
      const { timeout } = options ?? {};
      if (timeout === undefined && native.writesHere()) {
        throw this.#deadlock('this thread', 'writes');
      }
      if (timeout === undefined && native.readsHere()) {
        throw this.#deadlock('this thread', 'reads');
      }
      if (timeout !== 0) native.contend();
      try {
        hold = waitForSync(this, (ms) => native.waitExclusive(ms) || undefined, timeout);
      } finally {
        // The claim may be that of a pending acquireExclusive(), which keeps it.
        if (!isWaitedFor(native.writers.tag)) native.withdraw();
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
    return this.#run('exclusive', await this.acquireExclusive(options), fn);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): ReadWriteLockState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }

  #deadlock(who: string, does: string): DeadlockError {
    return new DeadlockError(
      `${label(this.kind, this.name)}: ${who} ${does}, so waiting would never end; release first`,
      { kind: this.kind, objectName: this.name },
    );
  }

  /** In a context that knows of the hold. */
  async #run<T>(
    mode: Mode,
    guard: Guard,
    fn: (guard: Guard) => T | Promise<T>,
  ): Promise<Awaited<T>> {
    const inside = new Inside(this.native.readers.tag, mode);
    try {
      return await context.run(holdingsWith(inside), () => fn(guard));
    } finally {
      inside.isOver = true;
      guard.release();
    }
  }
}

type Mode = 'shared' | 'exclusive';

class Inside extends Hold {
  constructor(
    readonly tag: number,
    readonly mode: Mode,
  ) {
    super();
  }
}

/** How the running task is inside the lock, if it is: its guard may have been released early. */
function modeHere(native: NativeReadWrite): Mode | undefined {
  for (const hold of holdsHere()) {
    if (!(hold instanceof Inside) || hold.tag !== native.readers.tag || hold.isOver) continue;
    if (hold.mode === 'shared' ? native.readsHere() : native.writesHere()) return hold.mode;
  }
  return undefined;
}
