// The holds of an async task. The code that makes a Hold puts it into a context.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from '../native/once.js';
import { type Nested, holdsIn, withoutThoseOver } from './nested.js';

/** What is held, for those who look for deadlocks (src/deadlocks/). */
export interface HeldHere {
  /** The tag of the object. */
  readonly tag: number;
  /** Of a LockManager: the name of the lock. */
  readonly lock?: string;
  /** The number of the hold. Of a LockManager: the ticket of the request. */
  readonly hold: number;
  readonly isShared: boolean;
  /** True: it is not counted for a deadlock. */
  readonly isLoose?: boolean;
  /** Is the guard released that the hold belongs to? */
  isReleased(): boolean;
}

/** From an acquisition to its release. */
export class Hold {
  isOver = false;
  /** Undefined until it is held. */
  held: HeldHere | undefined;
  constructor(held?: HeldHere) {
    this.held = held;
  }
}

/** What a task holds. */
export type Holdings = Nested<Hold>;

export const context = once('context', () => new AsyncLocalStorage<Holdings>());

export function holdingsWith(hold: Hold): Holdings {
  return { hold, outer: withoutThoseOver(context.getStore()) };
}

/** The Holds in the context of the running code. Some may be over. */
export function* holdsHere(): Generator<Hold, void, undefined> {
  yield* holdsIn(context.getStore());
}

export function inContext(hold: Hold): boolean {
  for (let at = context.getStore(); at; at = at.outer) if (at.hold === hold) return true;
  return false;
}

/** Calls `fn` in the context of some holds. The caller ends them. */
export function runInside<A extends unknown[], R>(
  holds: readonly Hold[],
  fn: (...args: A) => R,
  ...args: A
): R {
  let holdings = withoutThoseOver(context.getStore());
  for (const hold of holds) holdings = { hold, outer: holdings };
  return context.run(holdings!, fn, ...args);
}
