// The timeout of a wait that has several steps.
import type { HeldHere } from '../holds/context.js';
import type { AcquireOptions } from '../options.js';
import { now } from './clock.js';
import type { Recall } from './recall.js';

/** Options for one step of a wait. */
export interface StepOptions extends AcquireOptions {
  /**
   * The timeout of the whole wait in milliseconds, if `timeout` is only what is left of it. A
   * TimeoutError names this number, because the caller gave it.
   */
  readonly given?: number | undefined;
  /** The Recall of the iterator that waits. */
  readonly recall?: Recall | undefined;
  /**
   * What earlier steps have acquired and the caller keeps until this one has ended, however it
   * ends. It is asked only of a wait that lasts.
   */
  readonly gathered?: (() => readonly HeldHere[]) | undefined;
}

/** Begins when it is made. Each step of the wait gets the time that is left. */
export class Deadline {
  readonly #timeout: number | undefined;
  readonly #signal: AbortSignal | undefined;
  /** The option of the whole wait. */
  readonly deadlock: boolean | undefined;
  readonly #end: number;

  /** Without a timeout there is no limit. */
  constructor(options: AcquireOptions | undefined) {
    const timeout = options?.timeout;
    this.#timeout = timeout;
    this.#signal = options?.signal;
    this.deadlock = options?.deadlock;
    this.#end = now() + (timeout ?? Infinity);
  }

  /** Options for the next step, which lasts at least `least` milliseconds. */
  step(least = 0, gathered?: StepOptions['gathered']): StepOptions {
    const isLimited = this.#timeout !== undefined;
    const timeout = isLimited ? Math.max(least, this.#end - now()) : undefined;
    const signal = this.#signal;
    return { timeout, given: this.#timeout, signal, deadlock: this.deadlock, gathered };
  }
}
