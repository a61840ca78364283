// The holds of an async task. AsyncLocalStorage carries them along the call tree. The code that
// makes a Hold puts it into a context. It cannot be removed from all contexts that inherited it. So
// a Hold stays there when it has ended, and `isOver` is true then.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from '../native/once.js';

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

/** What a task holds: a list, the latest first. */
export interface Holdings {
  readonly hold: Hold;
  readonly outer: Holdings | undefined;
}

export const context = once('context', () => new AsyncLocalStorage<Holdings>());

export function holdingsWith(hold: Hold): Holdings {
  return { hold, outer: withoutThoseOver(context.getStore()) };
}

/** Drops ended holds. Otherwise the list of a task that acquires in a loop would grow each time. */
function withoutThoseOver(holdings: Holdings | undefined): Holdings | undefined {
  if (holdings === undefined) return undefined;
  const outer = withoutThoseOver(holdings.outer);
  if (holdings.hold.isOver) return outer;
  return outer === holdings.outer ? holdings : { hold: holdings.hold, outer };
}

/** The Holds in the context of the running code. Some may be over. */
export function* holdsHere(): Generator<Hold, void, undefined> {
  yield* holdsIn(context.getStore());
}

export function* holdsIn(holdings: Holdings | undefined): Generator<Hold, void, undefined> {
  for (let at = holdings; at; at = at.outer) yield at.hold;
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
