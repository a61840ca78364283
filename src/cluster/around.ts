// The callbacks around the running code: what a wait that begins here keeps until it ends. Only for
// engines that find deadlocks, because AsyncLocalStorage makes each promise cost more.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Nested, holdsIn, withoutThoseOver } from '../holds/nested.js';
import type { Session } from './session.js';

/** A hold, as it is seen from inside of its callback. */
interface Held {
  readonly session: Session;
  readonly request: number;
  readonly isOver: boolean;
}

const around = new AsyncLocalStorage<Nested<Held>>();

/** Calls `callback` in the context of a hold that ends after it. */
export function callInside<T>(hold: Held, callback: () => T): T {
  if (hold.session.engine.findsDeadlocks !== true) return callback();
  return around.run({ hold, outer: withoutThoseOver(around.getStore()) }, callback);
}

/** The requests of the session whose callbacks are around the running code. */
export function requestsAround(session: Session): number[] {
  const requests: number[] = [];
  for (const hold of holdsIn(around.getStore())) {
    if (!hold.isOver && hold.session === session) requests.push(hold.request);
  }
  return requests;
}
