import { EndedError } from '../errors.js';
import { Recall, calledOff } from '../waiting/recall.js';

/** The iterator of `for await`. A generator would need two more promises for each item. */
export class QueueIterator<T> implements AsyncIterableIterator<T> {
  readonly #tryGet: () => T | undefined;
  readonly #get: (options: { recall: Recall }) => Promise<T>;
  readonly #recall = new Recall();

  /** Both functions take the first item out. `get` waits for one, until the wait is called off. */
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

  /** Calls off every next() that waits. A next() that has its item already resolves to it. */
  async return(value?: unknown): Promise<IteratorResult<T, never>> {
    this.#recall.call();
    return { done: true, value: value as never };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
