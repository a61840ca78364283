// What an async task holds, as AsyncLocalStorage carries it along the call tree. The code that
// makes a Hold puts it into a context. It cannot be taken out of all contexts that inherited it, so
// a Hold that is over stays there, and `isOver` says so.
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

/** Or a task that acquires in a loop would hand on a longer list each time. */
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
