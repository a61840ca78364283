import {
  type Codec,
  type CodecChoice,
  checkCodec,
  codecFor,
  codecNumber,
  decodeItem,
  runsNothing,
} from '../records/codec.js';
import {
  CorruptError,
  type DecodeError,
  EndedError,
  type HoldfastError,
  IncompatibleError,
  NoSpaceError,
  label,
} from '../errors.js';
import type { NativeQueue, NativeQueueState } from '../native/bindings.js';
import { transferStatus } from '../native/enums.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  checkOpen,
  checkSyncWait,
  checkWait,
  queueOptions,
} from '../options.js';
import {
  Batch,
  type Encoded,
  Scratch,
  answer,
  copyOf,
  inbox,
  keep,
  table,
} from '../records/mailbox.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';

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
    checkOpen(options, queueOptions);
    const { maxSize, maxBytes, codec } = options as QueueOptions<never>;
    if (maxSize !== undefined) checkCount('maxSize', maxSize, 1, addon.queueItemsMax);
    if (maxBytes !== undefined) {
      checkCount('maxBytes', maxBytes, addon.queueBytesMin, addon.queueBytesMax);
    }
    checkCodec(codec);
    super(kind, options, {
      optionNames: queueOptions,
      maxItems: maxSize,
      maxBytes,
      codec: codecNumber(codec),
    });
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
    checkWait(options);
    const { native } = this;
    const codec = this.#encode(item);
    if (!isWaitedFor(native.room.tag) && this.#tryPut(native, codec)) return;
    const kept = keptRecord(codec);
    const take = () => this.#tryPut(native, kept) || undefined;
    await waitFor<true>(this, { waitSet: native.room, take }, options);
  }

  /** The same, blocking this thread. */
  putSync(item: T, options?: SyncWaitOptions): void {
    checkSyncWait(options);
    const { native } = this;
    const codec = this.#encode(item);
    if (this.#tryPut(native, codec)) return;
    const kept = keptRecord(codec); // between slices this thread may do other work
    const take = (ms: number) => {
      native.waitToPut(ms);
      return this.#tryPut(native, kept) || undefined;
    };
    waitForSync<true>(this, take, options?.timeout);
  }

  /** Puts an item if there is room now; false if not. */
  tryPut(item: T): boolean {
    return this.#tryPut(this.native, this.#encode(item));
  }

  /**
   * Puts items in order, as many at a time as there is room for; each of these batches becomes visible
   * at once. Waits and rejects as put() does. If it rejects, `error.done` says how many were put.
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    checkWait(options);
    const batch = this.#encodeAll(items);
    const { room } = this.native;
    try {
      if (!isWaitedFor(room.tag) && this.#tryPutBatch(batch)) return;
      batch.keep();
      const take = () => this.#tryPutBatch(batch) || undefined;
      await waitFor<true>(this, { waitSet: room, take }, options);
    } catch (error) {
      throw withDone(error, batch);
    }
  }

  /** The same, blocking this thread. */
  putManySync(items: Iterable<T>, options?: SyncWaitOptions): void {
    checkSyncWait(options);
    const batch = this.#encodeAll(items);
    try {
      if (this.#tryPutBatch(batch)) return;
      batch.keep();
      const take = (ms: number) => {
        this.native.waitToPut(ms);
        return this.#tryPutBatch(batch) || undefined;
      };
      waitForSync<true>(this, take, options?.timeout);
    } catch (error) {
      throw withDone(error, batch);
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
    checkWait(options);
    const item = this.#tryGetInTurn();
    if (item !== undefined) return item;
    return this.decodeKept(await this.waitFor(() => this.#take(), options));
  }

  /** The same, blocking this thread. */
  getSync(options?: SyncWaitOptions): T {
    checkSyncWait(options);
    const item = this.#tryGet(this.native);
    if (item !== undefined) return item;
    return this.decodeKept(this.waitForSync(() => this.#take(), options));
  }

  /**
   * Takes the first item out, or returns undefined (which no item can be) if there is none now. It also
   * returns undefined if another process has the queue locked for longer than 2 ms.
   *
   * @throws EndedError if the queue has been ended and drained: there will never be an item again, so a loop
   * that polls ends, too. DecodeError as get() rejects.
   */
  tryGet(): T | undefined {
    return this.#tryGet(this.native);
  }

  /**
   * Takes out what is there, at most `count` items, 1 to 1000000, waiting until there is at least one. All
   * are taken at once. Waits and rejects as get() does; what came together with an item that cannot be
   * read is in the DecodeError's `items`.
   */
  async getMany(count: number, options?: WaitOptions): Promise<T[]> {
    checkCount('count', count, 1, longestBatch);
    checkWait(options);
    const { native } = this;
    if (!isWaitedFor(native.items.tag)) {
      const items = this.#tryGetMany(native, count);
      if (items !== undefined) return items;
    }
    return this.#decodeAll(await this.waitFor(() => this.#takeMany(count), options));
  }

  /** The same, blocking this thread. */
  getManySync(count: number, options?: SyncWaitOptions): T[] {
    checkCount('count', count, 1, longestBatch);
    checkSyncWait(options);
    const items = this.#tryGetMany(this.native, count);
    if (items !== undefined) return items;
    return this.#decodeAll(this.waitForSync(() => this.#takeMany(count), options));
  }

  /**
   * The same without waiting; undefined if there is nothing now.
   *
   * @throws EndedError, DecodeError as tryGet() and getMany().
   */
  tryGetMany(count: number): T[] | undefined {
    checkCount('count', count, 1, longestBatch);
    return this.#tryGetMany(this.native, count);
  }

  /**
   * Takes items out until the queue has been ended and drained: `for await (const item of queue)`. Leaving
   * the loop loses no item.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    // Not a generator, which would put two promises more between the ring and the loop.
    const iterator: AsyncIterableIterator<T> = {
      next: async () => {
        try {
          const item = this.#tryGetInTurn();
          return { done: false, value: item === undefined ? await this.get() : item };
        } catch (error) {
          if (error instanceof EndedError) return { done: true, value: undefined };
          throw error;
        }
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  // ---------------------------------------------------------------- state

  /** Items in the queue: exact at the instant of the call. Does not block. */
  size(): number {
    return this.native.size();
  }

  /** Is there nothing to get now? Another process may get or put right after. */
  empty(): boolean {
    return this.size() === 0;
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

  /** What is returned is the codec's, and good until it encodes again. */
  #encode(item: T, into = scratch): Encoded {
    this.#codec.encode(item, into);
    return this.#codec;
  }

  #encodeAll(items: Iterable<T>): Batch {
    if (typeof Object(items)[Symbol.iterator] !== 'function') {
      throw new TypeError('items must be iterable');
    }
    const batch = new Batch();
    for (const item of items) batch.add(this.#encode(item, batch));
    return batch;
  }

  /** False if there is no room. */
  #tryPut(native: NativeQueue, { type, bytes, start, end }: Encoded): boolean {
    return this.succeeded(native.put(type, bytes, start, end));
  }

  /** False if not all of it is in yet. */
  #tryPutBatch(batch: Batch): boolean {
    while (batch.put < batch.length) {
      const put = this.native.putMany(batch.sources, batch.table, batch.put);
      batch.put += put;
      if (!this.succeeded() && put === 0) return false;
    }
    return true;
  }

  // What is there now is decoded in the mailbox. What had to be waited for is copied out of it first: a wait
  // takes when it is served, runs no code of the caller's then, and is decoded when the caller goes on.

  /** @internal Did the call into the addon put or take what it was to? False: not yet. */
  protected succeeded(how = answer[0]): boolean {
    if (how === transferStatus.yes) return true;
    if (how === transferStatus.notYet) return false;
    throw this.failure(how);
  }

  #tryGet(native: NativeQueue): T | undefined {
    const bytes = native.get() ?? inbox;
    return this.succeeded() ? this.decodeItem(answer[1]!, bytes, 0, answer[2]!) : undefined;
  }

  /** Not past those of this thread who wait. */
  #tryGetInTurn(): T | undefined {
    const { native } = this;
    return isWaitedFor(native.items.tag) ? undefined : this.#tryGet(native);
  }

  #take(): Kept | undefined {
    const bytes = this.native.get() ?? inbox;
    return this.succeeded() ? this.keepItem(bytes) : undefined;
  }

  /** @internal The one that was just taken out. */
  protected keepItem(bytes: Buffer): Kept {
    return { type: answer[1]!, bytes: keep(bytes, 0, answer[2]!) };
  }

  /** @internal */
  protected decodeKept({ type, bytes }: Kept): T {
    return this.decodeItem(type, bytes, 0, bytes.length);
  }

  /** @internal */
  protected decodeItem(type: number, bytes: Buffer, start: number, end: number): T {
    return decodeItem(this.#codec, this, type, bytes, start, end) as T;
  }

  #tryGetMany(native: NativeQueue, count: number): T[] | undefined {
    const large = native.getMany(count);
    if (!this.succeeded()) return undefined;
    if (large !== undefined) return this.#decodeAll(large);
    const rows = table.subarray(0, 3 * answer[1]!);
    for (let i = 0; i < rows.length; i += 3) {
      if (!runsNothing(rows[i]!)) return this.#decodeAll(keepMany(rows));
    }
    return this.#decodeAll([inbox, rows]);
  }

  #takeMany(count: number): KeptMany | undefined {
    const large = this.native.getMany(count);
    if (!this.succeeded()) return undefined;
    return large ?? keepMany(table.subarray(0, 3 * answer[1]!));
  }

  #decodeAll([bytes, rows]: KeptMany): T[] {
    const items: T[] = [];
    const errors: DecodeError[] = [];
    for (let i = 0; i < rows.length; i += 3) {
      try {
        items.push(this.decodeItem(rows[i]!, bytes, rows[i + 1]!, rows[i + 2]!));
      } catch (error) {
        errors.push(error as DecodeError);
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return items;
    throw Object.assign(first, { items, others });
  }

  /** @internal */
  protected async waitFor<R>(
    take: () => R | undefined,
    options: WaitOptions | undefined,
  ): Promise<R> {
    checkWait(options);
    const { items } = this.native;
    const taken = isWaitedFor(items.tag) ? undefined : take();
    return taken ?? waitFor(this, { waitSet: items, take }, options);
  }

  /** @internal */
  protected waitForSync<R>(take: () => R | undefined, options: SyncWaitOptions | undefined): R {
    checkSyncWait(options);
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
      case transferStatus.ended:
        return new EndedError(`${called}: it was ended`, options);
      case transferStatus.tooLarge:
        return new RangeError(
          `${called}: an item can have ${this.native.largestItem} bytes at the most; see maxBytes`,
        );
      case transferStatus.noSpace:
        return new NoSpaceError(`${called}: it has to grow, and there is no space`, options);
      default:
        return new CorruptError(`${called}: its ring makes no sense`, options);
    }
  }
}

const longestBatch = 1_000_000;

const scratch = new Scratch();

/** A record that has come out, copied. */
export interface Kept {
  readonly type: number;
  readonly bytes: Buffer;
}

type KeptMany = readonly [bytes: Buffer, table: Uint32Array];

/** For while the put waits: the codec has other items to encode, and the caller's bytes may change. */
function keptRecord({ type, bytes, start, end }: Encoded): Encoded {
  return { type, bytes: copyOf(bytes, start, end), start: 0, end: end - start };
}

/** What getMany() has left in the mailbox. */
function keepMany(rows: Uint32Array): KeptMany {
  return [keep(inbox, 0, rows.at(-1)!), rows.slice()];
}

function withDone(error: unknown, { put: done }: Batch): unknown {
  // An abort's reason may be anything, and frozen.
  if (error instanceof Error && Object.isExtensible(error)) Object.assign(error, { done });
  return error;
}
