import { brand } from '../brand.js';
import { IncompatibleError, label, withDone } from '../errors.js';
import { addon } from '../native/load.js';
import {
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  readOpen,
  readSyncWait,
  readWait,
  queueOptions,
} from '../options.js';
import { Batch } from '../records/batch.js';
import { checkCodec, codecFor, codecNumber } from '../records/codec.js';
import type { Encoded } from '../records/mailbox.js';
import { Transfer } from '../records/transfer.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import type { StepOptions } from '../waiting/deadline.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import { QueueIterator } from './queue-iterator.js';
import type { QueueOptions, QueueState } from './queue-options.js';
import { Shared } from './shared.js';

/**
 * A first-in, first-out queue in shared memory for any number of producers and consumers. It is the
 * same queue in every process and worker thread of the user that opens its name. It is Python's
 * `multiprocessing.Queue` without the feeder thread: an item is in the queue when put() returns. So
 * size(), empty() and full() are exact, and a later crash of the producer loses no item.
 *
 * SIGKILL at any instruction leaves each item wholly in the queue or wholly out of it. An item that
 * a consumer had got before it died is lost; see JoinableQueue.take().
 *
 * Items leave in the order in which their puts took effect. The puts of one thread take effect in
 * the order of their calls, except that putSync() and tryPut() overtake pending put() calls. The
 * queue and its items are removed with the last user, unless the queue is `persistent`.
 */
export class Queue<T = unknown> extends Shared<'Queue' | 'JoinableQueue'> {
  static {
    brand(this, 'Queue');
  }
  /** @internal */
  protected readonly transfer: Transfer<T>;

  /**
   * Opens the queue, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws IncompatibleError if it exists with another maxSize, maxBytes or codec than is given
   * here, or has a codec of its own and none is given. NoSpaceError if the first 64 KiB cannot be
   * had. Otherwise as Lock.
   */
  constructor(options?: QueueOptions<T>);
  /** @internal */
  constructor(options: QueueOptions<T> | undefined, kind: 'JoinableQueue');
  constructor(options: QueueOptions<T> = {}, kind: 'Queue' | 'JoinableQueue' = 'Queue') {
    const read = readOpen(options, queueOptions);
    const { maxSize, maxBytes, codec } = read as QueueOptions<never>;
    if (maxSize !== undefined) checkCount('maxSize', maxSize, 1, addon.queueItemsMax);
    if (maxBytes !== undefined) {
      checkCount('maxBytes', maxBytes, addon.queueBytesMin, addon.queueBytesMax);
    }
    checkCodec(codec);
    super(kind, read, {
      maxItems: maxSize,
      maxBytes,
      codec: codecNumber(codec),
    });
    const operations: Transfer<T>['operations'] = addon[kind];
    const found = codecFor(operations.codec(this.native), codec);
    if (found === undefined) {
      this.close();
      throw new IncompatibleError(
        `${label(kind, this.name)}: it has a codec of its own; give { encode, decode } as codec`,
        { kind, objectName: this.name },
      );
    }
    this.transfer = new Transfer<T>(this, operations, found);
  }

  // ---------------------------------------------------------------- put

  /**
   * Puts an item, waiting for room if need be. When the promise has resolved the item is in the
   * queue for every process. Never blocks the event loop; a pending put keeps the process alive.
   *
   * Rejects with EncodeError (a TypeError) for an item that the codec cannot encode, with
   * RangeError for one that this queue could never hold, and with EndedError after end(). Rejects
   * with TimeoutError, `signal.reason` or ClosedError. If the queue has to grow and the system has
   * no storage for that, an item that fits into the queue as it is waits for room: its TimeoutError
   * has a NoSpaceError as its `cause`. A larger one is rejected with NoSpaceError at once. If put()
   * rejects, the item is not in the queue.
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    options = readWait(options);
    void this.native; // closed?
    const { transfer } = this;
    const record = transfer.encode(item);
    if (!isWaitedFor(transfer.putters.tag) && transfer.tryPut(record)) return;
    await this.waitToPutRecord(record, (kept) => transfer.tryPut(kept), options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as put() rejects.
   */
  putSync(item: T, options?: SyncWaitOptions): void {
    options = readSyncWait(options);
    void this.native; // closed?
    const { transfer } = this;
    const record = transfer.encode(item);
    if (transfer.tryPut(record)) return;
    this.waitToPutRecordSync(record, (kept) => transfer.tryPut(kept), options);
  }

  /**
   * Puts an item if there is room now. False if there is none, or if another process has the queue
   * locked for longer than 2 ms.
   *
   * @throws as put() rejects.
   */
  tryPut(item: T): boolean {
    void this.native; // closed?
    return this.transfer.tryPut(this.transfer.encode(item));
  }

  /**
   * Puts items in order, in batches of as many as there is room for. An item of 4 KiB or more is a
   * batch of its own. A batch becomes visible at once. A death leaves those that were put before.
   *
   * Waits and rejects as put() does. `error.done` then says how many items were put: see
   * PutManyError and isPutManyError().
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    const { transfer } = this;
    const batch = new Batch();
    try {
      options = readWait(options);
      transfer.encodeAll(items, batch);
      void this.native; // closed?
      if (!isWaitedFor(transfer.putters.tag) && transfer.tryPutBatch(batch)) return;
      batch.keep();
      await this.#waitToPut(() => transfer.tryPutBatch(batch), options);
    } catch (error) {
      throw withDone(error, batch.put);
    }
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as putMany() rejects.
   */
  putManySync(items: Iterable<T>, options?: SyncWaitOptions): void {
    const { transfer } = this;
    const batch = new Batch();
    try {
      options = readSyncWait(options);
      transfer.encodeAll(items, batch);
      void this.native; // closed?
      if (transfer.tryPutBatch(batch)) return;
      this.#waitToPutSync(() => transfer.tryPutBatch(batch), options);
    } catch (error) {
      throw withDone(error, batch.put);
    }
  }

  /** @internal Waits until `tryPut` has put the record; in the order of calls of this thread. */
  protected async waitToPutRecord(
    record: Encoded,
    tryPut: (kept: Encoded) => boolean,
    options: WaitOptions | undefined,
  ): Promise<void> {
    const kept = this.transfer.keep(record, false);
    try {
      await this.#waitToPut(() => tryPut(kept), options);
    } finally {
      kept.done();
    }
  }

  /** @internal The same, blocking this thread. */
  protected waitToPutRecordSync(
    record: Encoded,
    tryPut: (kept: Encoded) => boolean,
    options: SyncWaitOptions | undefined,
  ): void {
    const kept = this.transfer.keep(record, true);
    try {
      this.#waitToPutSync(() => tryPut(kept), options);
    } finally {
      kept.done();
    }
  }

  async #waitToPut(tryPut: () => boolean, options: WaitOptions | undefined): Promise<void> {
    const take = () => tryPut() || undefined;
    const { putters, cause } = this.transfer;
    await waitFor<true>(this, { waitSet: putters, take, cause }, options);
  }

  #waitToPutSync(tryPut: () => boolean, options: SyncWaitOptions | undefined): void {
    const { native, transfer } = this;
    const take = (ms: number) => {
      transfer.operations.waitToPut(native, ms);
      return tryPut() || undefined;
    };
    waitForSync<true>(this, take, options?.timeout, { cause: transfer.cause });
  }

  // ---------------------------------------------------------------- get

  /**
   * Takes the first item out, waiting for one if need be. Never blocks the event loop; a pending
   * get keeps the process alive. The gets of one thread are served in the order of their calls.
   * Threads and processes compete: the first to try has the item.
   *
   * Rejects with EndedError when the queue has been ended and is empty, and with TimeoutError,
   * `signal.reason` or ClosedError; it has taken no item then. Rejects with DecodeError if the
   * item's bytes cannot be read: that item is out of the queue, and its bytes are in the error.
   */
  async get(options?: WaitOptions): Promise<T> {
    options = readWait(options);
    const item = this.#tryGetInTurn();
    if (item !== undefined) return item;
    return this.transfer.decode(await this.waitToTake(() => this.transfer.take(), options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as get() rejects.
   */
  getSync(options?: SyncWaitOptions): T {
    options = readSyncWait(options);
    const { transfer } = this;
    const item = transfer.tryGet();
    if (item !== undefined) return item;
    return transfer.decode(this.waitToTakeSync(() => transfer.take(), options));
  }

  /**
   * Takes the first item out if there is one now. Returns undefined (which no item can be) if there
   * is none, or if another process has the queue locked for longer than 2 ms.
   *
   * @throws EndedError if the queue has been ended and drained: no item will ever come, and a loop
   * that polls ends. DecodeError as get() rejects.
   */
  tryGet(): T | undefined {
    return this.transfer.tryGet();
  }

  /**
   * Waits for at least one item, and takes out all that are there, at most `count`, 1 to 1000000,
   * and at most 4 MiB, unless one item is larger. All are taken at once. Waits and rejects as get()
   * does. A DecodeError has the readable items of the batch in `items`.
   */
  async getMany(count: number, options?: WaitOptions): Promise<T[]> {
    checkCount('count', count, 1, largestBatch);
    options = readWait(options);
    const { transfer } = this;
    void this.native; // closed?
    if (!isWaitedFor(this.transfer.getters.tag)) {
      const items = transfer.tryGetMany(count);
      if (items !== undefined) return items;
    }
    return transfer.decodeAll(await this.waitToTake(() => transfer.takeMany(count), options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as getMany() rejects.
   */
  getManySync(count: number, options?: SyncWaitOptions): T[] {
    checkCount('count', count, 1, largestBatch);
    options = readSyncWait(options);
    const { transfer } = this;
    const items = transfer.tryGetMany(count);
    if (items !== undefined) return items;
    return transfer.decodeAll(this.waitToTakeSync(() => transfer.takeMany(count), options));
  }

  /**
   * The same without waiting. Returns undefined if there is no item now, or if another process has
   * the queue locked for longer than 2 ms.
   *
   * @throws EndedError as tryGet(), DecodeError as getMany().
   */
  tryGetMany(count: number): T[] | undefined {
    checkCount('count', count, 1, largestBatch);
    return this.transfer.tryGetMany(count);
  }

  /**
   * Gets items until the queue has been ended and drained: `for await (const item of queue)`. Waits
   * as get() does, and throws what it rejects with, except EndedError, which ends the loop.
   *
   * You may leave the loop at any time, and no item is lost: the loop gets an item only when it
   * needs it, and return() calls off a next() that waits. `Readable.from(queue)` gets one item more
   * than was read from it, and a destroyed stream drops that item.
   * `Readable.from(queue, { highWaterMark: 0 })` gets no item early.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const { transfer } = this;
    const get = async (options: StepOptions) =>
      transfer.decode(await this.waitToTake(() => transfer.take(), options));
    return new QueueIterator(() => this.#tryGetInTurn(), get);
  }

  /** Undefined if there is nothing, or if other gets of this thread wait and are served first. */
  #tryGetInTurn(): T | undefined {
    void this.native; // closed?
    return isWaitedFor(this.transfer.getters.tag) ? undefined : this.transfer.tryGet();
  }

  // ---------------------------------------------------------------- state

  /**
   * How many items can be taken out: exact at the instant of the call. Does not block.
   *
   * A JoinableQueue counts items that are neither done nor leased to a live thread. If another
   * process was stopped inside a change of it, this call waits for 2 ms, and then leaves out the
   * items that dead threads had on lease.
   */
  size(): number {
    return this.transfer.operations.size(this.native);
  }

  /** Is size() 0? Does not block. */
  empty(): boolean {
    return this.size() === 0;
  }

  /** Is there no room for another item, or only for an empty one? Does not block. */
  full(): boolean {
    return this.transfer.operations.full(this.native);
  }

  /**
   * Ends the queue: every further put by any process throws EndedError, and pending puts reject
   * with it. Gets go on until the queue is empty, and then throw EndedError, too. Cannot be undone;
   * a second call does nothing. Does not block.
   */
  end(): void {
    this.transfer.operations.end(this.native);
  }

  /** True if any process has called end(). Does not block. */
  ended(): boolean {
    return this.transfer.operations.ended(this.native);
  }

  /** A snapshot of its state and counters. Does not block. */
  inspect(): QueueState {
    return { kind: this.kind, name: this.name, ...this.transfer.operations.inspect(this.native) };
  }

  /** @internal Waits until `take` returns something; in the order of calls of this thread. */
  protected async waitToTake<R>(
    take: () => R | undefined,
    options: StepOptions | undefined,
  ): Promise<R> {
    void this.native; // closed?
    const { getters } = this.transfer;
    const taken = isWaitedFor(getters.tag) ? undefined : take();
    return taken ?? waitFor(this, { waitSet: getters, take }, options);
  }

  /** @internal The same, blocking this thread. */
  protected waitToTakeSync<R>(take: () => R | undefined, options: SyncWaitOptions | undefined): R {
    const taken = take();
    if (taken !== undefined) return taken;
    const takeWithin = (ms: number) => {
      this.transfer.operations.waitToGet(this.native, ms);
      // Tried after each slice, whatever waitToGet() says: only a try finds the leases of the dead.
      return take();
    };
    return waitForSync(this, takeWithin, options?.timeout);
  }
}

const largestBatch = 1_000_000;
