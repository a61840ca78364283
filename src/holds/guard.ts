// The guard, which an acquisition returns.
import { inspect } from 'node:util';
import { brand } from '../brand.js';
import type { Acquisition, Subject } from '../channels.js';
import { label } from '../errors.js';
import type { Outcome } from '../native/bindings.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { lookWhileHeld } from './held-look.js';
import {
  type GuardRecord,
  type LastGuard,
  type LosableGuard,
  noteGuard,
  tellsLostGuards,
} from './lost.js';

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
 * @internal Calls `fn`, and releases the guard when the result of `fn` has settled. It does so
 * whether `fn` returns or throws.
 */
export async function whileHeld<T>(
  guard: Guard,
  fn: (guard: Guard) => T | Promise<T>,
): Promise<Awaited<T>> {
  try {
    return await fn(guard);
  } finally {
    guard.release();
  }
}

/** @internal Something whose holds end one by one. */
export interface Holds extends LastGuard {
  releaseHold(hold: number): void;
  isRemoved(): boolean;
  /** What they are holds of. */
  readonly about: Subject;
  /** False: this thread holds it, acquired it through this object or has no other. */
  mayClose(): boolean;
}

const belongs = refusal(
  'a Guard: it belongs to the thread that acquired it; pass the lock instead',
);

/** @internal */
export class HeldGuard implements Guard, LosableGuard {
  static {
    brand(this, 'Guard');
  }
  readonly abandoned: boolean;
  readonly [uncloneable] = belongs;
  readonly #hold: number;
  #holds: Holds | undefined;
  #acquisition: Acquisition | undefined;
  #previous: LosableGuard | undefined;
  #record: GuardRecord | undefined;
  readonly #stack: string | undefined;

  constructor(holds: Holds, outcome: Outcome) {
    this.abandoned = outcome < 0;
    this.#hold = outcome < 0 ? -outcome : outcome;
    this.#holds = holds;
    const { last } = holds;
    if (last !== undefined) this.#previous = last.isHeld ? last : last.previous;
    if (tellsLostGuards) this.#stack = new Error('acquired').stack;
    noteGuard(holds, this);
    lookWhileHeld();
  }

  /** The number of the hold. */
  get hold(): number {
    return this.#hold;
  }

  get compromised(): boolean {
    return this.#holds?.isRemoved() ?? false;
  }

  release(): void {
    const holds = this.#holds;
    if (holds === undefined) return;
    this.#holds = undefined;
    if (this.#record !== undefined) this.#record.isOver = true;
    holds.releaseHold(this.#hold);
    this.#acquisition?.released();
  }

  /** Somebody listens: the release is to be told. */
  follow(acquisition: Acquisition): void {
    this.#acquisition = acquisition;
  }

  get isHeld(): boolean {
    return this.#holds !== undefined;
  }

  get previous(): LosableGuard | undefined {
    return this.#previous;
  }

  forgetPrevious(): void {
    this.#previous = undefined;
  }

  makeRecord(): GuardRecord {
    const holds = this.#holds!;
    const { kind, name } = holds.about;
    const acquisition = this.#acquisition;
    return (this.#record = {
      what: label(kind, name),
      stack: this.#stack,
      isOver: false,
      isHeld: () => !holds.mayClose(),
      lost: () => acquisition?.lost(),
    });
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
