// The callbacks around the running code: what a wait that begins here keeps until it ends. Only for
// engines that find deadlocks, because AsyncLocalStorage makes each promise cost more.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Session } from './session.js';

/** A hold, as it is seen from inside of its callback. */
interface Held {
  readonly session: Session;
  readonly request: number;
  readonly isHeld: boolean;
}

interface Around {
  readonly held: Held;
  readonly outer: Around | undefined;
}

const around = new AsyncLocalStorage<Around>();

/** Calls `callback` in the context of a hold that ends after it. */
export function callInside<T>(held: Held, callback: () => T): T {
  if (held.session.engine.findsDeadlocks !== true) return callback();
  return around.run({ held, outer: withoutThoseOver(around.getStore()) }, callback);
}

/** The requests of the session whose callbacks are around the running code. */
export function requestsAround(session: Session): number[] {
  const requests: number[] = [];
  for (let at = around.getStore(); at !== undefined; at = at.outer) {
    if (at.held.isHeld && at.held.session === session) requests.push(at.held.request);
  }
  return requests;
}

/** The list of a task that requests in a loop would grow each time otherwise. */
function withoutThoseOver(at: Around | undefined): Around | undefined {
  if (at === undefined) return undefined;
  const outer = withoutThoseOver(at.outer);
  if (!at.held.isHeld) return outer;
  return outer === at.outer ? at : { held: at.held, outer };
}
