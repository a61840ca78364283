// What Lock and RLock do with the object in shared memory.
import type { Subject } from '../channels.js';
import { resourceOf } from '../deadlocks/pins.js';
import type { Need } from '../deadlocks/record.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import type { Acquirable } from '../waiting/acquirable.js';
import { WaitSet } from '../waiting/wait-set.js';
import { type HeldGuard, guardOf } from './guard.js';
import type { Holds } from './holds.js';

/** A hold that was given up to be acquired again. */
export interface Suspended {
  readonly hold: number;
  readonly depth: number;
}

/** One Lock or RLock as this thread has it open: who holds it, in the thread and outside of it. */
export interface Ownership extends Acquirable<HeldGuard>, Holds {
  need(): Need;
  /** Releases what the caller holds; a Lock, what anybody holds. */
  release(): void;
  /** How many acquisitions the caller has to release. */
  depth(): number;
  isHeldByThread(): boolean;
  isHeldByCaller(): boolean;
  /** May an acquisition by this caller succeed although others in the thread wait? */
  mayBypassQueue(): boolean;
  /** False: this thread holds it, acquired it through this object or has no other. */
  mayClose(): boolean;
  /** Gives the caller's hold up, whole. */
  giveUp(): Suspended;
  /** Makes what was just acquired into the hold that was given up. */
  resume(suspended: Suspended): void;
}

const operations = addon.Lock;

/** What a wait for a Lock or an RLock needs. */
export function needOf({ about, waiters }: Pick<Ownership, 'about' | 'waiters'>): Need {
  const { kind, name } = about;
  return { resource: resourceOf(waiters.tag), kind, name, how: 'exclusive' };
}

/** Of a Lock: its holder is the JS thread, which the addon knows. */
export class LockOwnership implements Ownership {
  readonly waiters: WaitSet;
  isReleasedByName = false;
  readonly #native: Native<'Lock'>;

  constructor(
    native: Native<'Lock'>,
    readonly about: Subject,
  ) {
    this.waiters = new WaitSet(operations.waiters, native);
    this.#native = native;
  }

  tryAcquireOrRescue(): HeldGuard | undefined {
    return guardOf(this, operations.tryAcquireOrRescue(this.#native));
  }

  tryAcquireEnrolled(): HeldGuard | undefined {
    return guardOf(this, operations.tryAcquireEnrolled(this.#native));
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
    return needOf(this);
  }

  release(): void {
    operations.release(this.#native);
    this.isReleasedByName = true;
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

  depth(): number {
    return operations.depth(this.#native);
  }

  isHeldByThread(): boolean {
    return operations.isHeldByCaller(this.#native);
  }

  isHeldByCaller(): boolean {
    return this.isHeldByThread();
  }

  mayBypassQueue(): boolean {
    return false;
  }

  mayClose(): boolean {
    return addon.common.mayClose(this.#native);
  }

  giveUp(): Suspended {
    const depth = this.depth();
    return { hold: operations.giveUp(this.#native), depth };
  }

  resume({ hold, depth }: Suspended): void {
    operations.resume(this.#native, hold, depth);
  }
}
