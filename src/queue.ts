import {
  type Codec,
  type CodecChoice,
  checkCodec,
  codecFor,
  codecNumber,
  decodeItem,
} from './codec.js';
import {
  CorruptError,
  type DecodeError,
  EndedError,
  type HoldfastError,
  IncompatibleError,
  NoSpaceError,
  label,
} from './errors.js';
import { type NativeQueue, type NativeQueueState, addon, moved } from './native.js';
import { Shared } from './objects.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  checkSyncWait,
  checkWait,
} from './options.js';
import { type Wanted, isWaitedFor, waitFor, waitForSync } from './waits.js';

export interface QueueOptions<T = unknown> extends OpenOptions {
  /** Most items at a time, 1 to 16777215 (the default). */
  maxSize?: number | undefined;
  /**
   * Most bytes of shared memory for items, 65536 to 1073741824; 67108864 (64 MiB) by default. The queue
   * starts with 64 KiB and doubles as it needs to, so the last power of two below is what it can
   * reach. An item takes its bytes, rounded up to 8, and 8 more.
   */
  maxBytes?: number | undefined;
  /** How items become bytes; the same for all users of the queue. `'structured'` by default. */
  codec?: CodecChoice<T> | undefined;
}

/** What `inspect()` shows of a Queue: a snapshot, old as soon as it is taken. */
export interface QueueState extends Readonly<NativeQueueState> {
  readonly kind: 'Queue' | 'JoinableQueue';
  readonly name: string;
}

/**
 * A first-in, first-out queue in shared memory, the same in every process and worker thread of the user
 * that opens its name, for any number of producers and consumers. Like Python's
 * `multiprocessing.Queue`, but without its feeder thread: an item is in the queue when put() returns, so
 * size(), empty() and full() never lie, and a crash of the producer after that loses nothing.
 *
 * SIGKILL at any instruction leaves each item wholly in the queue or wholly out. An item that a consumer
 * had taken before it died is gone with it.
 *
 * Items leave in the order in which their puts took effect; the puts of one thread take effect in the
 * order of their calls (putSync and tryPut overtake pending put calls). Not persistent unless asked for:
 * with its last user the queue goes, and what is in it.
 */
export class Queue<T = unknown, N extends NativeQueue = NativeQueue> extends Shared<
  'Queue' | 'JoinableQueue',
  N
> {
  readonly #codec: Codec;

  /**
   * Opens the queue, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws IncompatibleError if it exists with another maxSize, maxBytes or codec than are given here
   * (what is left out is taken as it is), or has a codec of its own and none is given. NoSpaceError if the
   * first 64 KiB cannot be had. Otherwise as Lock.
   */
  constructor(options?: QueueOptions<T>);
  /** @internal */
  constructor(options: QueueOptions<T> | undefined, kind: 'JoinableQueue');
  constructor(options: QueueOptions<T> = {}, kind: 'Queue' | 'JoinableQueue' = 'Queue') {
    const { maxSize, maxBytes, codec } = Object(options) as QueueOptions<never>;
    if (maxSize !== undefined) checkCount('maxSize', maxSize, 1, addon.queueItemsMax);
    if (maxBytes !== undefined) {
      checkCount('maxBytes', maxBytes, addon.queueBytesMin, addon.queueBytesMax);
    }
    checkCodec(codec);
    super(kind, options, { maxItems: maxSize, maxBytes, codec: codecNumber(codec) });
    const found = codecFor(this.native.codec, codec);
    if (found === undefined) {
      this.close();
      throw new IncompatibleError(
        `${label(kind, this.name)}: it has a codec of its own; give { encode, decode } as codec`,
        { kind, objectName: this.name },
      );
    }
    this.#codec = found;
  }

  // ---------------------------------------------------------------- put

  /**
   * Puts an item, waiting for room if need be. When the promise has resolved the item is in the queue
   * for every process. Never blocks the event loop.
   *
   * Rejects with EncodeError (a TypeError) for what cannot travel, RangeError for an item that this queue
   * could never hold, EndedError after end(), TimeoutError, `signal.reason`, ClosedError, or NoSpaceError;
   * the item is not in the queue then.
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    if (options !== undefined) {
      checkWait(options);
      options.signal?.throwIfAborted();
    }
    const [type, payload] = this.#encode(item);
    const { room } = this.native;
    if (!isWaitedFor(room.tag) && this.#tryPut(type, payload)) return;
    // The caller may change or detach its bytes while we wait.
    const kept = payload instanceof Uint8Array ? Buffer.from(payload) : payload;
    const take = () => this.#tryPut(type, kept) || undefined;
    await waitFor<true>(this, { source: room, take }, options);
  }

  /** The same, blocking this thread. */
  putSync(item: T, options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWait(options);
    const [type, payload] = this.#encode(item);
    if (this.#tryPut(type, payload)) return;
    const take = (ms: number) => {
      this.native.waitToPut(ms);
      return this.#tryPut(type, payload) || undefined;
    };
    waitForSync<true>(this, take, options?.timeout);
  }

  /** Puts an item if there is room now; false if not. */
  tryPut(item: T): boolean {
    return this.#tryPut(...this.#encode(item));
  }

  /**
   * Puts items in order, as many at a time as there is room for; each of these batches becomes visible
   * at once. Waits and rejects as put() does. If it rejects, `error.done` says how many were put.
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    if (options !== undefined) {
      checkWait(options);
      options.signal?.throwIfAborted();
    }
    const batch = this.#encodeAll(items);
    const { room } = this.native;
    await batch.reporting(async () => {
      if (!isWaitedFor(room.tag) && this.#tryPutBatch(batch)) return;
      batch.keep();
      const take = () => this.#tryPutBatch(batch) || undefined;
      await waitFor<true>(this, { source: room, take }, options);
    });
  }

  /** The same, blocking this thread. */
  putManySync(items: Iterable<T>, options?: SyncWaitOptions): void {
    if (options !== undefined) checkSyncWait(options);
    const batch = this.#encodeAll(items);
    try {
      if (this.#tryPutBatch(batch)) return;
      const take = (ms: number) => {
        this.native.waitToPut(ms);
        return this.#tryPutBatch(batch) || undefined;
      };
      waitForSync<true>(this, take, options?.timeout);
    } catch (error) {
      throw batch.report(error);
    }
  }

  // ---------------------------------------------------------------- get

  /**
   * Takes the first item out, waiting for one if need be. Never blocks the event loop. A get that ends in
   * any other way than with an item has taken none.
   *
   * Rejects with EndedError when the queue has been ended and drained, with DecodeError if the item's
   * bytes cannot be read (it is out of the queue, and its bytes are in the error), with TimeoutError,
   * `signal.reason` or ClosedError.
   */
  async get(options?: WaitOptions): Promise<T> {
    return this.decodeItem(await this.waitFor(() => this.#take(), options));
  }

  /** The same, blocking this thread. */
  getSync(options?: SyncWaitOptions): T {
    return this.decodeItem(this.waitForSync(() => this.#take(), options));
  }

  /**
   * Takes the first item out, or returns undefined (which no item can be) if there is none now, or another
   * process has the queue locked for longer than 2 ms.
   */
  tryGet(): T | undefined {
    const taken = this.#take();
    return taken && this.decodeItem(taken);
  }

  /**
   * Takes out what is there, at most `count` items, 1 to 1000000, waiting until there is at least one. All
   * are taken at once. Waits and rejects as get() does; what came together with an item that cannot be
   * read is in the DecodeError's `items`.
   */
  async getMany(count: number, options?: WaitOptions): Promise<T[]> {
    checkCount('count', count, 1, longestBatch);
    return this.#decodeAll(await this.waitFor(() => this.#takeMany(count), options));
  }

  /** The same, blocking this thread. */
  getManySync(count: number, options?: SyncWaitOptions): T[] {
    checkCount('count', count, 1, longestBatch);
    return this.#decodeAll(this.waitForSync(() => this.#takeMany(count), options));
  }

  /** The same without waiting; undefined if there is nothing now. */
  tryGetMany(count: number): T[] | undefined {
    checkCount('count', count, 1, longestBatch);
    const taken = this.#takeMany(count);
    return taken && this.#decodeAll(taken);
  }

  /**
   * Takes items out until the queue has been ended and drained: `for await (const item of queue)`. Leaving
   * the loop loses no item.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof EndedError) return;
        throw error;
      }
      yield item;
    }
  }

  // ---------------------------------------------------------------- state

  /** Items in the queue: exact at the instant of the call. Does not block. */
  size(): number {
    return this.native.size();
  }

  /** Is there nothing to get now? Another process may get or put right after. */
  empty(): boolean {
    return this.native.size() === 0;
  }

  /** Is there no room for another item now, or for no more than an empty one? */
  full(): boolean {
    return this.native.full();
  }

  /**
   * No more puts, by anyone: they throw EndedError, pending ones too. Getters drain what is there and get
   * EndedError then. Cannot be undone. Idempotent.
   */
  end(): void {
    this.native.end();
  }

  /** Has end() been called, by anyone? */
  ended(): boolean {
    return this.native.ended();
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): QueueState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }

  // ---------------------------------------------------------------- inside

  #encode(item: T): [type: number, payload: unknown] {
    const payload = this.#codec.encode(item);
    return [this.#codec.type, payload];
  }

  #encodeAll(items: Iterable<T>): Batch {
    if (typeof Object(items)[Symbol.iterator] !== 'function') {
      throw new TypeError('items must be iterable');
    }
    const pairs: unknown[] = [];
    for (const item of items) pairs.push(...this.#encode(item));
    return new Batch(pairs);
  }

  // Taking runs no code of the caller's; decoding may, and comes when nothing waits for it any more.

  /** The record that is out now. */
  #take(): Taken | undefined {
    const { native } = this;
    const payload = native.get();
    const how = native.meta[1];
    if (how === moved.yes) return [native.meta[0]!, payload];
    if (how === moved.notYet) return undefined;
    throw this.failure(how);
  }

  #takeMany(count: number): unknown[] | undefined {
    const { native } = this;
    const pairs = native.getMany(count);
    const how = native.meta[1];
    if (how === moved.yes) return pairs;
    if (how === moved.notYet) return undefined;
    throw this.failure(how);
  }

  /** @internal */
  protected decodeItem([type, payload]: Taken): T {
    return decodeItem(this.#codec, this.name, type, payload) as T;
  }

  #decodeAll(pairs: unknown[]): T[] {
    const items: T[] = [];
    const errors: DecodeError[] = [];
    for (let i = 0; i < pairs.length; i += 2) {
      try {
        items.push(this.decodeItem([pairs[i] as number, pairs[i + 1]]));
      } catch (error) {
        errors.push(error as DecodeError);
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return items;
    throw Object.assign(first, { items, others });
  }

  /** False if there is no room. */
  #tryPut(type: number, payload: unknown): boolean {
    const how = this.native.put(type, payload);
    if (how === moved.yes) return true;
    if (how === moved.notYet) return false;
    throw this.failure(how);
  }

  /** False if not all of it is in yet. */
  #tryPutBatch(batch: Batch): boolean {
    while (batch.done < batch.length) {
      const put = this.native.putMany(batch.pairs, batch.done);
      batch.done += put;
      const how = this.native.meta[1];
      if (how !== moved.yes && how !== moved.notYet) throw this.failure(how);
      if (put === 0) return false;
    }
    return true;
  }

  /** @internal */
  protected async waitFor<R>(
    take: () => R | undefined,
    options: WaitOptions | undefined,
  ): Promise<R> {
    if (options !== undefined) {
      checkWait(options);
      options.signal?.throwIfAborted();
    }
    const { items } = this.native;
    const wanted: Wanted<R> = { source: items, take };
    const taken = isWaitedFor(items.tag) ? undefined : take();
    return taken === undefined ? waitFor(this, wanted, options) : taken;
  }

  /** @internal */
  protected waitForSync<R>(take: () => R | undefined, options: SyncWaitOptions | undefined): R {
    if (options !== undefined) checkSyncWait(options);
    const taken = take();
    if (taken !== undefined) return taken;
    const takeWithin = (ms: number) => {
      this.native.waitToGet(ms);
      return take(); // after each slice, whatever it says: what the dead had leased is only found so
    };
    return waitForSync(this, takeWithin, options?.timeout);
  }

  /** @internal */
  protected failure(how: number | undefined): HoldfastError | RangeError {
    const called = label(this.kind, this.name);
    const options = { kind: this.kind, objectName: this.name };
    switch (how) {
      case moved.ended:
        return new EndedError(`${called}: it was ended`, options);
      case moved.tooLarge:
        return new RangeError(
          `${called}: an item can have ${this.native.largestItem} bytes at the most; see maxBytes`,
        );
      case moved.noSpace:
        return new NoSpaceError(`${called}: it has to grow, and there is no space`, options);
      default:
        return new CorruptError(`${called}: its ring makes no sense`, options);
    }
  }
}

const longestBatch = 1_000_000;

type Taken = readonly [type: number, payload: unknown];

/** Items on their way in, encoded. */
class Batch {
  done = 0;
  readonly length: number;
  constructor(readonly pairs: unknown[]) {
    this.length = pairs.length / 2;
  }

  /** The caller may change or detach its bytes while we wait. */
  keep(): void {
    for (let i = 2 * this.done + 1; i < this.pairs.length; i += 2) {
      const payload = this.pairs[i];
      if (payload instanceof Uint8Array) this.pairs[i] = Buffer.from(payload);
    }
  }

  report(error: unknown): unknown {
    // An abort's reason may be anything, and frozen.
    if (error instanceof Error && Object.isExtensible(error))
      Object.assign(error, { done: this.done });
    return error;
  }

  async reporting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.report(error);
    }
  }
}
