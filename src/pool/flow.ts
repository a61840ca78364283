// The chunks of map(), imap() and imapUnordered() on their way: so many are started ahead of the
// one who reads the results, and no more.
import { unwatchAbort, watchAbort } from '../waiting/abort.js';

/** A chunk that has been started. */
interface Slot {
  results?: readonly unknown[];
  failure?: { readonly error: unknown };
  isDone: boolean;
  withdraw: () => void;
}

/** Starts a chunk. Calls back when it has ended. Returns what withdraws it. */
export type StartChunk = (
  items: unknown[],
  onResults: (results: readonly unknown[]) => void,
  onFailure: (error: unknown) => void,
) => () => void;

type Source = Iterator<unknown[]> | AsyncIterator<unknown[]>;

export class Flow {
  readonly #source: Source;
  readonly #start: StartChunk;
  readonly #isOrdered: boolean;
  /** How many chunks may be started and not read. */
  readonly #window: number;
  /** Throws if no further chunk may be started. */
  readonly #checkOpen: () => void;
  /** In the order in which they are read: as they were started, or as they ended. */
  #slots: Slot[] = [];
  readonly #open = new Set<Slot>();
  #isPulling = false;
  #hasEnded = false;
  #isLeft = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    source: Source,
    start: StartChunk,
    isOrdered: boolean,
    window: number,
    checkOpen: () => void,
  ) {
    this.#source = source;
    this.#start = start;
    this.#isOrdered = isOrdered;
    this.#window = window;
    this.#checkOpen = checkOpen;
  }

  /**
   * The results of each chunk. When the loop is left, chunks that have not begun are withdrawn. An
   * abort ends the loop, also while the source makes an item.
   */
  async *read(signal?: AbortSignal): AsyncGenerator<readonly unknown[], void, undefined> {
    let isAborted = false;
    const onAbort = () => {
      isAborted = true;
      this.#wake?.();
    };
    if (signal) watchAbort(signal, onAbort);
    try {
      for (;;) {
        if (isAborted) throw signal?.reason;
        void this.#pull();
        const slot = this.#slots[0];
        if (slot?.isDone) {
          this.#slots.shift();
          if (slot.failure) throw slot.failure.error;
          yield slot.results!;
        } else if (this.#hasEnded && this.#open.size === 0 && slot === undefined) {
          if (this.#failure) throw this.#failure.error;
          return;
        } else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      if (signal) unwatchAbort(signal, onAbort);
      this.#hasEnded = true;
      this.#isLeft = true;
      for (const slot of this.#open) slot.withdraw();
      if (!this.#isPulling) await this.#source.return?.();
    }
  }

  /** Starts chunks while there is room for them. */
  async #pull(): Promise<void> {
    if (this.#isPulling) return;
    this.#isPulling = true;
    try {
      while (!this.#hasEnded && this.#open.size + this.#done < this.#window) {
        const next = this.#source.next();
        const { done, value } = next instanceof Promise ? await next : next;
        if (done) this.#hasEnded = true;
        else if (!this.#hasEnded) {
          this.#checkOpen();
          this.#begin(value);
        }
      }
      // The reader left while the source made an item.
      if (this.#isLeft) await this.#source.return?.();
    } catch (error) {
      this.#failure = { error };
      this.#hasEnded = true;
    }
    this.#isPulling = false;
    this.#wake?.();
  }

  /** How many chunks have ended and not been read. */
  get #done(): number {
    return this.#isOrdered ? this.#slots.length - this.#open.size : this.#slots.length;
  }

  #begin(items: unknown[]): void {
    const slot: Slot = { isDone: false, withdraw: () => {} };
    this.#open.add(slot);
    if (this.#isOrdered) this.#slots.push(slot);
    const end = (outcome: Partial<Slot>) => {
      Object.assign(slot, outcome, { isDone: true });
      this.#open.delete(slot);
      if (!this.#isOrdered) this.#slots.push(slot);
      this.#wake?.();
    };
    // A chunk that cannot be cloned fails at once.
    slot.withdraw = this.#start(
      items,
      (results) => end({ results }),
      (error) => end({ failure: { error } }),
    );
  }
}

/** A chunk ends early when it has so many bytes of Buffers. */
const chunkBytes = 1 << 20;

/** Items in chunks of `size`; without it in chunks of `most`, or of about 1 MiB of Buffers. */
export function* chunksOf(
  items: Iterable<unknown>,
  size: number | undefined,
  most: number,
): Generator<unknown[], void, undefined> {
  let chunk: unknown[] = [];
  let bytes = 0;
  for (const item of items) {
    chunk.push(item);
    if (ArrayBuffer.isView(item)) bytes += item.byteLength;
    if (chunk.length < (size ?? most) && (size !== undefined || bytes < chunkBytes)) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** The same, for items that come one after another. A chunk waits until it is full. */
export async function* asyncChunksOf(
  items: AsyncIterable<unknown>,
  size: number,
): AsyncGenerator<unknown[], void, undefined> {
  let chunk: unknown[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
