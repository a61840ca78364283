// The timeout of a wait that has several steps.
import type { WaitOptions } from '../options.js';
import { now } from './clock.js';
import type { Recall } from './recall.js';

/** Options for one step of a wait. */
export interface StepOptions extends WaitOptions {
  /**
   * The timeout of the whole wait in milliseconds, if `timeout` is only what is left of it. A
   * TimeoutError names this number, because the caller gave it.
   */
  readonly given?: number | undefined;
  /** The Recall of the iterator that waits. */
  readonly recall?: Recall | undefined;
}

/** Begins when it is made. Each step of the wait gets the time that is left. */
export class Deadline {
  readonly #timeout: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #end: number;

  /** Without a timeout there is no limit. */
  constructor(options: WaitOptions | undefined) {
    const timeout = options?.timeout;
    this.#timeout = timeout;
    this.#signal = options?.signal;
    this.#end = now() + (timeout ?? Infinity);
  }

  /** Options for the next step, which lasts at least `least` milliseconds. */
  step(least = 0): StepOptions {
    if (this.#timeout === undefined)
      return { timeout: undefined, given: undefined, signal: this.#signal };
    const timeout = Math.max(least, this.#end - now());
    return { timeout, given: this.#timeout, signal: this.#signal };
  }
}
