// The guard, which an acquisition returns.
import { inspect } from 'node:util';
import { brand } from '../brand.js';
import type { Acquisition } from '../channels.js';
import type { Outcome } from '../native/bindings.js';
import { type AcquireOptions, checkFunction, readAcquire } from '../options.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { type HeldHere, Hold, runInside } from './context.js';
import { lookWhileHeld } from './held-look.js';
import { type Holds, ToldHolds } from './holds.js';
import { type Sentinel, giveBackSentinel, takeSentinel, watchThrough } from './lost.js';

/**
 * One acquisition. `using guard = await lock.acquire()` releases it at the end of the block,
 * however the block ends.
 */
export interface Guard extends Disposable {
  /**
   * Ends this acquisition. Does not block. A second call does nothing.
   *
   * @throws NotLockedError (of an RLock: NotOwnerError) at the first call, if another call of
   * release() has ended the hold already. Then two holders may have been inside at once.
   */
  release(): void;
  /** True if the last holder died, or its thread ended, with its hold: check the guarded data. */
  readonly abandoned: boolean;
  /**
   * True if another program has removed the lock's file, or the whole directory, while this guard
   * holds it. Then somebody else may be inside as well: undo, or do not go on. It looks at each
   * read, which takes some microseconds. False after release().
   */
  readonly compromised: boolean;
}

/** A thread that holds an object, as inspect() shows it. */
export interface Holder {
  /** The process id. */
  readonly pid: number;
  /** The thread: 0 for the main thread of the process, else the worker's `threadId`. */
  readonly threadId: number;
  /** The name of the process: that of its Process object, or `MainProcess`. */
  readonly processName: string;
}

/**
 * @internal runExclusive() and its like: acquires, calls `fn`, and releases the guard when the
 * result of `fn` has settled, whether it returns or throws. `fn` runs in a context that has what
 * `heldOf` returns. `counts`: for a deadlock, too.
 *
 * It is one async function, because before Node 24 each promise costs a hook of the context.
 */
export async function runHolding<G extends Guard, T>(
  fn: (guard: Guard) => T | Promise<T>,
  options: AcquireOptions | undefined,
  acquire: (read: AcquireOptions | undefined) => G | Promise<G>,
  heldOf: (guard: G, counts: boolean) => readonly HeldHere[],
): Promise<Awaited<T>> {
  checkFunction('fn', fn);
  const read = readAcquire(options);
  const guard = await acquire(read);
  const holds = heldOf(guard, read?.deadlock !== false).map((held) => new Hold(held));
  try {
    return await (holds.length === 0 ? fn(guard) : runInside(holds, fn, guard));
  } finally {
    for (const hold of holds) hold.isOver = true;
    guard.release();
  }
}

/** @internal What a guard holds. */
export function heldBy(guard: HeldGuard, isShared = false): HeldHere {
  const { tag, hold } = guard;
  return { tag, hold, isShared, isReleased: () => guard.isReleased };
}

const belongs = refusal(
  'a Guard: it belongs to the thread that acquired it; pass the lock instead',
);

/** @internal */
export class HeldGuard implements Guard {
  static {
    brand(this, 'Guard');
  }
  readonly abandoned: boolean;
  readonly [uncloneable] = belongs;
  readonly #hold: number;
  #holds: Holds;
  /** undefined after the release. */
  #sentinel: Sentinel | undefined;

  constructor(holds: Holds, outcome: Outcome) {
    this.abandoned = outcome < 0;
    this.#hold = outcome < 0 ? -outcome : outcome;
    this.#holds = holds;
    this.#sentinel = takeSentinel(holds, this.#hold);
    lookWhileHeld();
  }

  /** The number of the hold. */
  get hold(): number {
    return this.#hold;
  }

  get isReleased(): boolean {
    return this.#sentinel === undefined;
  }

  /** The tag of the object. */
  get tag(): number {
    return this.#holds.tag;
  }

  get compromised(): boolean {
    return !this.isReleased && this.#holds.isRemoved();
  }

  release(): void {
    if (this.#sentinel === undefined) return;
    this.letGo();
    this.#holds.releaseHold(this.#hold);
  }

  /** The hold goes on without this guard. */
  letGo(): void {
    const sentinel = this.#sentinel!;
    this.#sentinel = undefined;
    giveBackSentinel(sentinel);
  }

  /** Somebody listens: the release is to be told. */
  follow(acquisition: Acquisition): void {
    this.#holds = new ToldHolds(this.#holds, acquisition);
    watchThrough(this.#sentinel!, this.#holds);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }
}

/** @internal The guard of an acquisition; undefined if nothing was acquired. */
export function guardOf(holds: Holds, outcome: Outcome): HeldGuard | undefined {
  return outcome === 0 ? undefined : new HeldGuard(holds, outcome);
}
