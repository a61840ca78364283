// The wait of a blocked thread, for those who look for deadlocks.
import type { Need } from '../deadlocks/record.js';
import { type LongWait, waitAcquired, waitFailed } from '../deadlocks/told.js';
import type { DeadlockError } from '../errors.js';
import { now } from './clock.js';

export class BlockedWait implements LongWait {
  readonly begun = now();
  readonly isSync = true;
  readonly holdings = undefined;
  readonly #need: (() => Need | undefined) | undefined;
  #error: DeadlockError | undefined;

  constructor(need: (() => Need | undefined) | undefined) {
    this.#need = need;
  }

  need(): Need | undefined {
    return this.#need?.();
  }

  fail(error: DeadlockError): void {
    this.#error = error;
  }

  throwIfFailed(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  acquired(): void {
    waitAcquired(this);
  }

  /** Once, at its end. */
  end(): void {
    waitFailed(this); // unless it has acquired
  }
}
