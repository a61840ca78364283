import type { Native } from '../native/bindings.js';
import type { WaitSetOperations } from '../native/wait-set.js';

/**
 * One wait set of an open object (native/core/registry/wait_set.h): it wakes the threads that wait.
 */
export class WaitSet {
  /** The number by which a wake-up names this wait set. */
  readonly tag: number;
  readonly #operations: WaitSetOperations<Native>;
  readonly #native: Native;

  constructor(operations: WaitSetOperations<Native>, native: Native) {
    this.tag = operations.tag(native);
    this.#operations = operations;
    this.#native = native;
  }

  /**
   * Enters this thread, with the number of its pending waits, into the wait set. `index` is what
   * the last call returned; -1 for the first call.
   */
  enrol(index: number, waiting: number): number {
    return this.#operations.enrol(this.#native, index, waiting);
  }

  /** Removes the entry. Returns false if a wake-up for it is on its way already. */
  cancel(index: number): boolean {
    return this.#operations.cancel(this.#native, index);
  }

  /**
   * Spins for up to 20 us, if spins have helped lately, until what is waited for may be there. At a
   * queue it spins for up to 80 us now and then. Returns true if a try may succeed.
   */
  spinBriefly(): boolean {
    return this.#operations.spinBriefly(this.#native);
  }

  /** True if a thread that has waited for a slice is served before others (giving_way.h). */
  get isFair(): boolean {
    return this.#operations.announce !== undefined;
  }

  /** Says that this thread has waited for `waited_ms`: from one slice on, others give way to it. */
  announce(waited_ms: number): void {
    this.#operations.announce?.(this.#native, waited_ms);
  }

  /** Takes that back. */
  withdraw(): void {
    this.#operations.withdraw?.(this.#native);
  }

  /** True if threads that wait here can ever doze (native/core/registry/dozing.h). */
  get canDoze(): boolean {
    return this.#operations.mayDoze !== undefined;
  }

  /**
   * True if this thread, whose entry is at `index`, hears of everything that could end its wait.
   * Ask at each look. After the second yes in a row it need not look each slice.
   */
  mayDoze(index: number): boolean {
    return this.#operations.mayDoze?.(this.#native, index) ?? false;
  }

  /** Wakes another waiter instead of this one. */
  passOn(): void {
    this.#operations.passOn(this.#native);
  }
}
