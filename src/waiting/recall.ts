// Calls waits off. If the program leaves a loop, the iterator calls off its waiting next().

/** The pending waits of one iterator. */
export class Recall {
  /** For each wait a function that ends it. */
  readonly pending = new Set<() => void>();
  #called = false;

  /** True if the program has left the loop. Then no wait may take an item for it any more. */
  get called(): boolean {
    return this.#called;
  }

  /** Ends the waits now. Each rejects with `calledOff`. */
  call(): void {
    this.#called = true;
    for (const end of this.pending) end();
  }
}

/** What a wait that was called off rejects with. Only iterators see it. */
export const calledOff: unique symbol = Symbol('called off');
