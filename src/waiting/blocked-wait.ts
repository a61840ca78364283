// The wait of a blocked thread, for those who look for deadlocks.
import { type LongWait, waitEnded } from '../deadlocks/detector.js';
import type { Need } from '../deadlocks/record.js';
import type { DeadlockError } from '../errors.js';
import { now } from './clock.js';

export class BlockedWait implements LongWait {
  readonly begun = now();
  readonly isSync = true;
  readonly holdings = undefined;
  readonly #need: (() => Need) | undefined;
  #error: DeadlockError | undefined;

  constructor(need: (() => Need) | undefined) {
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

  end(): void {
    waitEnded(this);
  }
}
