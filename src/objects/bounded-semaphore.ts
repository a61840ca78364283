import { brand } from '../brand.js';
import { type Subject, beginAcquisition, publishRelease } from '../channels.js';
import { resourceOf } from '../deadlocks/pins.js';
import type { Need } from '../deadlocks/record.js';
import { suspicionsOf, wouldWaitForItself } from '../deadlocks/show.js';
import type { DeadlockedWait } from '../errors.js';
import { HeldGroup } from '../holds/guard-group.js';
import type { HeldHere } from '../holds/context.js';
import { follow, followSync, followTry } from '../holds/follow.js';
import {
  type Guard,
  type HeldGuard,
  type Holder,
  guardOf,
  heldBy,
  runHolding,
} from '../holds/guard.js';
import type { Holds } from '../holds/holds.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { AnySemaphore } from './any-semaphore.js';
import { type PermitSource, readPermits } from './permit-line.js';
import {
  type AcquireOptions,
  type OpenOptions,
  type SyncAcquireOptions,
  checkCount,
  checkNumber,
  readAcquire,
  readOpen,
  readSyncAcquire,
} from '../options.js';
import type { Acquirable } from '../waiting/acquirable.js';
import { waitToAcquireSync } from '../waiting/blocking-wait.js';
import type { StepOptions } from '../waiting/deadline.js';
import { isWaitedFor, waitToAcquire } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';

const operations = addon.BoundedSemaphore;

/**
 * What `inspect()` shows of a BoundedSemaphore: a snapshot, which may be out of date when it is
 * read.
 */
export interface BoundedSemaphoreState {
  /** The class of the object. */
  readonly kind: 'BoundedSemaphore';
  /** The name that it was opened with. */
  readonly name: string;
  /** The number of all permits, free or held. */
  readonly permits: number;
  /** Permits that are free now. */
  readonly value: number;
  /** The live threads that hold a permit, once for each permit. */
  readonly holders: readonly Holder[];
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
  /** Acquisitions since it was made. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Permits taken over from a holder that died. */
  readonly abandonments: number;
}

/**
 * A semaphore whose permits have owners. It is the same in every process and worker thread of the
 * user that opens its name. Python's `multiprocessing.BoundedSemaphore` only counts permits. Here
 * each permit has a holder. If the holder dies, even by SIGKILL at any instruction, or its thread
 * ends, the permit comes back at once, and the next guard for it says `abandoned`.
 *
 * A permit belongs to the JS thread that acquired it, and to its guard.
 */
export class BoundedSemaphore extends AnySemaphore<'BoundedSemaphore'> {
  static {
    brand(this, 'BoundedSemaphore');
  }
  readonly #permits: Permits;

  /**
   * Opens the semaphore, or makes it with `permits` permits, 1 to 4096. There is no default: with
   * `permits` undefined the semaphore must exist, by the name in `options`, and is taken as it is.
   * Blocks only while another process has the directory locked.
   *
   * @throws IncompatibleError if it exists with another number of permits; TypeError if neither
   * `permits` nor a name is given; NotFoundError if `permits` is undefined and the name does not
   * exist. Otherwise as Lock.
   */
  constructor(permits: number | undefined, options: OpenOptions = {}) {
    const read = readOpen(options);
    checkNumber('permits', permits, 1, addon.maxOwnedPermits, read);
    super('BoundedSemaphore', permits === undefined ? { ...read, mustExist: true } : read, {
      initial: permits,
    });
    this.#permits = new Permits(this.native, { kind: this.kind, name: this.name });
  }

  /**
   * Waits for a permit, and takes it. Never blocks the event loop. The acquisitions of one thread
   * are served in the order of their calls. Threads and processes compete: the first to try a free
   * permit has it, unless a thread has waited for 3 ms. That one is next.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError, and with DeadlockError if it is the
   * youngest of some waits that can never end, because they hold all permits; no permit is taken
   * then.
   */
  acquire(options?: AcquireOptions): Promise<Guard>;
  /**
   * Waits until it has taken `n` permits; one guard releases all of them. One thread at a time
   * gathers several permits, so two that want several never wait for each other. It keeps what it
   * has taken while it waits for the rest, so a stream of single acquisitions does not starve it.
   * If its process is killed meanwhile, the permits come back.
   *
   * Rejects as above, and then has given back what it took; with RangeError if there are not `n`
   * permits in all.
   */
  acquire(n: number, options?: AcquireOptions): Promise<Guard>;
  async acquire(first?: number | AcquireOptions, second?: AcquireOptions): Promise<Guard> {
    const { n, options } = readPermits(first, second, this.#most(first));
    const read = readAcquire(options);
    return n === 1 ? this.takeHold(read) : new HeldGroup(await this.line.acquire(n, read));
  }

  /** @internal As acquire() does, whose options have been read. A guard if a permit was free. */
  takeHold(options: StepOptions | undefined): HeldGuard | Promise<HeldGuard> {
    const permits = this.#openPermits;
    const acquisition = beginAcquisition(this, 'permit', false);
    const guard = isWaitedFor(permits.waiters.tag) ? undefined : permits.tryAcquire();
    if (acquisition !== undefined) {
      const { signal } = options ?? {};
      return follow(acquisition, guard, signal, waitToAcquire, this, permits, options);
    }
    return guard ?? waitToAcquire(this, permits, options);
  }

  /**
   * Waits for a permit and takes it, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; DeadlockError as acquire() rejects, and at once if this
   * thread holds every permit itself and no `timeout` was given.
   */
  acquireSync(options?: SyncAcquireOptions): Guard;
  /** Takes `n` permits as acquire(n) does, blocking this thread. */
  acquireSync(n: number, options?: SyncAcquireOptions): Guard;
  acquireSync(first?: number | SyncAcquireOptions, second?: SyncAcquireOptions): Guard {
    const { n, options } = readPermits(first, second, this.#most(first));
    const read = readSyncAcquire(options);
    return n === 1 ? this.#takeSync(read) : new HeldGroup(this.line.acquireSync(n, read));
  }

  #takeSync(options: SyncAcquireOptions | undefined): HeldGuard {
    const permits = this.#openPermits;
    const acquisition = beginAcquisition(this, 'permit', true);
    const guard = permits.tryAcquire();
    if (acquisition !== undefined) {
      return followSync(acquisition, guard, waitSync, this, permits, options);
    }
    return guard ?? waitSync(this, permits, options);
  }

  /**
   * Takes `n` permits if they are free now. Returns null if they are not, or if a thread that has
   * waited for 3 ms is next. With more than one also if another thread gathers permits. Never
   * waits. It may overtake pending acquire() calls of this thread.
   */
  tryAcquire(n = 1): Guard | null {
    if (n === 1) return this.#tryTake() ?? null;
    checkCount('n', n, 1, this.#most(n));
    const guards = this.line.tryAcquire(n);
    return guards === undefined ? null : new HeldGroup(guards);
  }

  #tryTake(): HeldGuard | undefined {
    const acquisition = beginAcquisition(this, 'permit', true);
    const guard = this.#openPermits.tryAcquireOrRescue();
    return acquisition ? followTry(acquisition, guard) : guard;
  }

  /**
   * Acquires a permit, calls `fn`, and releases it when the result of `fn` has settled. Resolves to
   * that result. Waits and rejects as acquire() does.
   */
  withPermit<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    const acquire = (read: AcquireOptions | undefined) => this.takeHold(read);
    return runHolding(fn, options, acquire, (guard, counts) => this.#heldBy([guard], counts));
  }

  /** The same with `n` permits, as acquire(n) takes them. */
  async withPermits<T>(
    n: number,
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    checkCount('n', n, 1, this.#most(n));
    if (n === 1) return this.withPermit(fn, options);
    const acquire = async (read: AcquireOptions | undefined) =>
      new HeldGroup(await this.line.acquire(n, read));
    return runHolding(fn, options, acquire, ({ guards }, counts) =>
      this.#heldBy(guards as HeldGuard[], counts),
    );
  }

  #heldBy(guards: readonly HeldGuard[], counts: boolean): HeldHere[] {
    return counts ? guards.map((guard) => heldBy(guard)) : [];
  }

  /**
   * Gives back one permit of this thread. If this thread has none, it gives back one of another
   * thread, as in Python, and the guard of that permit then throws NotLockedError. Prefer
   * `guard.release()`, which ends its own hold and no other. Does not block.
   *
   * @throws OverReleaseError if no permit is taken.
   */
  release(): void {
    operations.release(this.native);
    this.#permits.isReleasedByName = true;
    publishRelease(this, 'permit');
  }

  /** Permits that are free at the instant of the call. Does not block. */
  value(): number {
    return operations.value(this.native);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): BoundedSemaphoreState {
    const { kind, name } = this;
    const state = operations.inspect(this.native);
    const suspicions = state.waiters > 0 ? suspicionsOf(this.waiters.tag) : [];
    return { kind, name, ...state, suspicions };
  }

  /** @internal */
  protected override get waiters(): WaitSet {
    return this.#permits.waiters;
  }

  /** @internal */
  protected override get need(): () => Need {
    return () => this.#permits.need();
  }

  /** @internal */
  protected override get source(): PermitSource<Guard> {
    return {
      take: (step) => this.takeHold(step),
      takeSync: (step) => this.#takeSync(step),
      tryTake: () => this.#tryTake(),
      giveBack: (guard) => guard.release(),
    };
  }

  /** @internal */
  override checkNotAllHeld(): void {
    if (!operations.allHeldByCaller(this.native)) return;
    const { kind, name } = this;
    const why = 'this thread holds every permit, so waiting for one would never end';
    throw wouldWaitForItself({ kind, name, how: 'permit' }, why);
  }

  /** The most permits that an acquisition can have. Only one of several needs to know. */
  #most(n: unknown): number {
    return n === 1 || typeof n !== 'number' ? 1 : operations.permits(this.native);
  }

  get #openPermits(): Permits {
    void this.native; // closed?
    return this.#permits;
  }
}

/** The permits of one object. Guards keep this, and must not keep the object alive. */
class Permits implements Acquirable<HeldGuard>, Holds {
  readonly waiters: WaitSet;
  isReleasedByName = false;
  readonly #native: Native<'BoundedSemaphore'>;

  constructor(
    native: Native<'BoundedSemaphore'>,
    readonly about: Subject,
  ) {
    this.waiters = new WaitSet(operations.waiters, native);
    this.#native = native;
  }

  tryAcquireOrRescue(): HeldGuard | undefined {
    return guardOf(this, operations.tryAcquireOrRescue(this.#native));
  }

  tryAcquire(): HeldGuard | undefined {
    return guardOf(this, operations.tryAcquire(this.#native));
  }

  wait(ms: number): HeldGuard | undefined {
    return guardOf(this, operations.wait(this.#native, ms));
  }

  contend(): void {
    operations.contend(this.#native);
  }

  need(): Need {
    const { kind, name } = this.about;
    const permits = operations.permits(this.#native);
    return { resource: resourceOf(this.waiters.tag), kind, name, how: 'permit', permits };
  }

  get tag(): number {
    return this.waiters.tag;
  }

  isRemoved(): boolean {
    return addon.common.isRemoved(this.#native);
  }

  releaseHold(hold: number): void {
    operations.releaseHold(this.#native, hold);
  }
}

function waitSync(
  semaphore: BoundedSemaphore,
  permits: Permits,
  options: SyncAcquireOptions | undefined,
): HeldGuard {
  if (options?.timeout === undefined) semaphore.checkNotAllHeld();
  return waitToAcquireSync(semaphore, permits, options);
}
