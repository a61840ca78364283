import { brand } from '../brand.js';
import { beginAcquisition, publishRelease } from '../channels.js';
import { follow, followSync, followTry } from '../holds/follow.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { AnySemaphore } from './any-semaphore.js';
import { type PermitSource, readPermits } from './permit-line.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  checkFunction,
  readOpen,
  readSyncWait,
  readWait,
} from '../options.js';
import type { Acquirable } from '../waiting/acquirable.js';
import { waitToAcquireSync } from '../waiting/blocking-wait.js';
import { isWaitedFor, waitToAcquire } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';

const operations = addon.Semaphore;

/** What `inspect()` shows of a Semaphore: a snapshot, which may be out of date when it is read. */
export interface SemaphoreState {
  /** The class of the object. */
  readonly kind: 'Semaphore';
  /** The name that it was opened with. */
  readonly name: string;
  /** Permits that are free now. */
  readonly value: number;
  /** The value that it was made with. */
  readonly initial: number;
  /** Acquisitions that wait for it now, in live threads of all processes. */
  readonly waiters: number;
  /**
   * For how many milliseconds the thread has waited that has waited longest; 0 below a slice (50
   * ms). null if nobody waits.
   */
  readonly longestWait: number | null;
  /** Permits taken since it was made, by users of this package. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
}

/**
 * A counting semaphore. It is the same in every process and worker thread of the user that opens
 * its name. It is a plain POSIX named semaphore (sem_open(3)), so programs in other languages can
 * use it through `posixName`. It is Python's `multiprocessing.Semaphore`.
 *
 * Permits have no owner. Any process may release one, and a permit that a dead process had taken
 * does not come back. A release by a program in another language wakes a waiter of acquireSync() at
 * once, and a waiter of acquire() within a slice (50 ms).
 */
export class Semaphore extends AnySemaphore<'Semaphore'> {
  static {
    brand(this, 'Semaphore');
  }
  readonly #permits: Permits;

  /**
   * Opens the semaphore, or makes it with `initial` permits, 0 to 32767 (the most that every system
   * allows). Without `initial` a new semaphore has 1 permit, as in Python, and one that exists is
   * taken as it is. Blocks only while another process has the directory locked.
   *
   * @throws IncompatibleError if it exists and was made with another `initial` than is given here.
   * Otherwise as Lock.
   */
  constructor(initial?: number, options: OpenOptions = {}) {
    if (initial !== undefined) checkCount('initial', initial, 0, addon.maxPermits);
    super('Semaphore', readOpen(options), { initial });
    this.#permits = new Permits(this.native);
  }

  /**
   * Waits for a permit, and takes it. Never blocks the event loop; a pending wait keeps the process
   * alive. The acquisitions of one thread are served in the order of their calls. Threads and
   * processes compete: the first to try a free permit has it, unless a thread has waited for
   * 3 ms. That one is next.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError; no permit is taken then.
   */
  acquire(options?: WaitOptions): Promise<void>;
  /**
   * Waits until it has taken `n` permits, 1 to 32767. One thread at a time gathers several permits,
   * so two that want several never wait for each other. It keeps what it has taken while it waits
   * for the rest, so a stream of single acquisitions does not starve it. Rejects as above; then it
   * has given back what it took. If its process is killed meanwhile, the permits that it had taken
   * are lost, as with every permit of a Semaphore.
   */
  acquire(n: number, options?: WaitOptions): Promise<void>;
  async acquire(first?: number | WaitOptions, second?: WaitOptions): Promise<void> {
    const { n, options } = readPermits(first, second, addon.maxPermits);
    const read = readWait(options);
    const taken = n === 1 ? this.#take(read) : this.line.acquire(n, read);
    if (taken !== true) await taken;
  }

  /** true if a permit was free. */
  #take(options: WaitOptions | undefined): true | Promise<true> {
    const { native } = this;
    const permits = this.#permits;
    const acquisition = beginAcquisition(this, 'permit', false);
    const isTaken = !isWaitedFor(permits.waiters.tag) && operations.tryAcquire(native);
    if (acquisition !== undefined) {
      const taken = isTaken || undefined;
      return follow(acquisition, taken, options?.signal, waitToAcquire, this, permits, options);
    }
    return isTaken || waitToAcquire(this, permits, options);
  }

  /**
   * Waits for a permit and takes it, blocking this thread.
   *
   * @throws TimeoutError after `timeout`.
   */
  acquireSync(options?: SyncWaitOptions): void;
  /** Takes `n` permits as acquire(n) does, blocking this thread. */
  acquireSync(n: number, options?: SyncWaitOptions): void;
  acquireSync(first?: number | SyncWaitOptions, second?: SyncWaitOptions): void {
    const { n, options } = readPermits(first, second, addon.maxPermits);
    const read = readSyncWait(options);
    if (n === 1) this.#takeSync(read);
    else this.line.acquireSync(n, read);
  }

  #takeSync(options: SyncWaitOptions | undefined): true {
    const acquisition = beginAcquisition(this, 'permit', true);
    const isTaken = operations.tryAcquire(this.native);
    const permits = this.#permits;
    if (acquisition !== undefined) {
      const taken = isTaken || undefined;
      return followSync(acquisition, taken, waitToAcquireSync, this, permits, options);
    }
    return isTaken || waitToAcquireSync(this, permits, options);
  }

  /**
   * Takes `n` permits, 1 to 32767, if they are free now. Returns false if they are not, or if a
   * thread that has waited for 3 ms is next. With more than one also if another thread gathers
   * permits. Does not wait.
   */
  tryAcquire(n = 1): boolean {
    if (n === 1) return this.#tryTake() ?? false;
    checkCount('n', n, 1, addon.maxPermits);
    return this.line.tryAcquire(n) !== undefined;
  }

  #tryTake(): true | undefined {
    const acquisition = beginAcquisition(this, 'permit', true);
    const isTaken = operations.tryAcquireOrRescue(this.native) || undefined;
    if (acquisition) followTry(acquisition, isTaken);
    return isTaken;
  }

  /**
   * Takes a permit, calls `fn`, and releases the permit when the result of `fn` has settled.
   * Resolves to that result. Waits and rejects as acquire() does.
   */
  withPermit<T>(fn: () => T | Promise<T>, options?: WaitOptions): Promise<Awaited<T>> {
    return this.withPermits(1, fn, options);
  }

  /** The same with `n` permits, as acquire(n) takes them. */
  async withPermits<T>(
    n: number,
    fn: () => T | Promise<T>,
    options?: WaitOptions,
  ): Promise<Awaited<T>> {
    checkCount('n', n, 1, addon.maxPermits);
    checkFunction('fn', fn);
    await this.acquire(n, options);
    try {
      return await fn();
    } finally {
      this.release(n);
    }
  }

  /**
   * Adds `n` permits, 1 to 32767, and wakes as many waiters. Adds all of them or none. Does not
   * block.
   *
   * @throws OverReleaseError if the value would pass 32767.
   */
  release(n = 1): void {
    if (n !== 1) checkCount('n', n, 1, addon.maxPermits);
    operations.release(this.native, n);
    publishRelease(this, 'permit');
  }

  /**
   * Permits that are free at the instant of the call. Does not block. macOS has no call that reads
   * a semaphore. There this is a separate count: it does not include what programs in other
   * languages do, and a crash can make it wrong.
   */
  value(): number {
    return operations.value(this.native);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): SemaphoreState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }

  /** @internal */
  protected override get waiters(): WaitSet {
    return this.#permits.waiters;
  }

  /** @internal */
  protected override get source(): PermitSource<true> {
    return {
      take: (step) => this.#take(step),
      takeSync: (step) => this.#takeSync(step),
      tryTake: () => this.#tryTake(),
      giveBack: () => this.release(),
    };
  }

  /** The name of the POSIX semaphore, for sem_open(3) in other languages. */
  get posixName(): string {
    return addon.common.posixName(this.native);
  }
}

/** The permits, as a wait takes them: they have no holder, so there is nothing to hand out. */
class Permits implements Acquirable<true> {
  readonly waiters: WaitSet;
  readonly #native: Native<'Semaphore'>;

  constructor(native: Native<'Semaphore'>) {
    this.waiters = new WaitSet(operations.waiters, native);
    this.#native = native;
  }

  tryAcquireOrRescue(): true | undefined {
    return operations.tryAcquireOrRescue(this.#native) || undefined;
  }

  tryAcquire(): true | undefined {
    return operations.tryAcquire(this.#native) || undefined;
  }

  wait(ms: number): true | undefined {
    return operations.wait(this.#native, ms) || undefined;
  }

  contend(): void {
    operations.contend(this.#native);
  }
}
