// Calls waits off. An iterator does that with a waiting next() when the program leaves the loop.

/** The pending waits of one iterator. */
export class Recall {
  /** Functions that end the waits, one each. */
  readonly pending = new Set<() => void>();
  #called = false;

  /** True if the program has left the loop. Then no wait may take an item for it any more. */
  get called(): boolean {
    return this.#called;
  }

  /** Ends them, now: each rejects with `calledOff`. */
  call(): void {
    this.#called = true;
    for (const end of this.pending) end();
  }
}

/** What a wait that was called off rejects with. Only iterators see it. */
export const calledOff: unique symbol = Symbol('called off');
