// What a pending wait and a blocking wait have in common.
import { TimeoutError, label } from '../errors.js';

/** The open object through which a wait goes. The wait ends when that object is closed. */
export interface Waiter {
  readonly kind: string;
  readonly name: string;
  readonly isOpen: boolean;
}

/** `cause` is why the wait lasted so long, where that is known. */
export function timedOut(waiter: Waiter, timeout = 0, cause?: Error): TimeoutError {
  return new TimeoutError(
    `${label(waiter.kind, waiter.name)}: the wait ended after ${Number(timeout.toFixed(3))} ms`,
    cause === undefined ? describe(waiter) : { ...describe(waiter), cause },
  );
}

/** The properties by which an error names its object. */
export function describe(waiter: Waiter): { kind: string; objectName: string } {
  return { kind: waiter.kind, objectName: waiter.name };
}
