import { EndedError } from '../errors.js';
import { Recall, calledOff } from '../waiting/recall.js';

/** What `for await` asks a queue for its items. A generator would need two more promises an item. */
export class QueueIterator<T> implements AsyncIterableIterator<T> {
  readonly #tryGet: () => T | undefined;
  readonly #get: (options: { recall: Recall }) => Promise<T>;
  readonly #recall = new Recall();

  /** Both take the first item out of the queue. `get` waits for one, until it is called off. */
  constructor(tryGet: () => T | undefined, get: (options: { recall: Recall }) => Promise<T>) {
    this.#tryGet = tryGet;
    this.#get = get;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const recall = this.#recall;
    if (recall.called) return { done: true, value: undefined };
    try {
      const item = this.#tryGet();
      return { done: false, value: item === undefined ? await this.#get({ recall }) : item };
    } catch (error) {
      if (error === calledOff || error instanceof EndedError) {
        return { done: true, value: undefined };
      }
      throw error;
    }
  }

  /** Calls off every next() that waits. What one has taken already is what it resolves to. */
  async return(value?: unknown): Promise<IteratorResult<T, never>> {
    this.#recall.call();
    return { done: true, value: value as never };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
