// Calling waits off: what an iterator does with a next() that waits when the loop is left.

/** The pending waits of one iterator. */
export class Recall {
  /** What ends each of them. */
  readonly pending = new Set<() => void>();
  #called = false;

  /** Has the iterator been left? Then nothing may be taken for it any more. */
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
