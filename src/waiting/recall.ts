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

/** Calls off the waits of one object, now and from now on. */
export class Drains {
  /** Of the waits that have no Recall of their own. */
  readonly common = new Recall();
  readonly #recalls = new Set<Recall>([this.common]);
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  add(recall: Recall): void {
    this.#recalls.add(recall);
  }

  delete(recall: Recall): void {
    this.#recalls.delete(recall);
  }

  begin(): void {
    this.#hasBegun = true;
    for (const recall of this.#recalls) recall.call();
  }
}
