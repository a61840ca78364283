// The holds of an async task. AsyncLocalStorage carries them along the call tree. The code that
// makes a Hold puts it into a context. It cannot be removed from all contexts that inherited it. So
// a Hold stays there when it has ended, and `isOver` is true then.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from '../native/once.js';

/** From an acquisition to its release. */
export class Hold {
  isOver = false;
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
  for (let at = context.getStore(); at; at = at.outer) yield at.hold;
}

export function inContext(hold: Hold): boolean {
  for (let at = context.getStore(); at; at = at.outer) if (at.hold === hold) return true;
  return false;
}
