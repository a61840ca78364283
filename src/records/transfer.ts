// Moves items into a queue and out of it. It connects the codec, the mailbox and the addon.
import {
  CorruptError,
  type DecodeError,
  EndedError,
  type HoldfastError,
  NoSpaceError,
  label,
} from '../errors.js';
import { publishItems } from '../channels.js';
import type { Native } from '../native/bindings.js';
import type { QueueOperations } from '../native/queue.js';
import { transferStatus } from '../native/enums.js';
import { WaitSet } from '../waiting/wait-set.js';
import type { Batch } from './batch.js';
import { type Codec, decodeItem, runsNothing } from './codec.js';
import { KeptRecord } from './kept-record.js';
import {
  type Encoded,
  type Received,
  type ReceivedBatch,
  answer,
  at,
  inBuffer,
  inbox,
  keep,
  order,
  result,
} from './mailbox.js';
import { outbox } from './outbox.js';

type NativeQueue = Native<'Queue' | 'JoinableQueue'>;

/** The queue that items go into and come out of. */
interface Owner {
  readonly kind: string;
  readonly name: string;
  /** Throws ClosedError after close(). */
  readonly native: NativeQueue;
}

/**
 * Moves the items of one queue. No method waits: if a call cannot succeed now, it returns false or
 * undefined.
 *
 * An item that is there at the first try is decoded in the mailbox (tryGet, tryGetMany). A wait
 * takes its item at a moment when no code of the caller may run. So it copies the record out of the
 * mailbox (take, takeMany). The record is decoded when the caller goes on.
 */
export class Transfer<T> {
  readonly #queue: Owner;
  readonly operations: QueueOperations<NativeQueue>;
  /** Woken when there may be an item. */
  readonly getters: WaitSet;
  /** Woken when there may be room. */
  readonly putters: WaitSet;
  readonly #codec: Codec;
  /** The last put found that the queue has to grow, and that there is no storage for it. */
  #isStorageFull = false;

  constructor(queue: Owner, operations: QueueOperations<NativeQueue>, codec: Codec) {
    this.#queue = queue;
    this.operations = operations;
    this.getters = new WaitSet(operations.getters, queue.native);
    this.putters = new WaitSet(operations.putters, queue.native);
    this.#codec = codec;
  }

  /**
   * Makes a record of an item. It belongs to the codec, and is valid until the codec encodes again.
   */
  encode(item: T, into = outbox): Encoded {
    this.#codec.encode(item, into);
    return this.#codec;
  }

  /**
   * Keeps that record for a put that waits.
   *
   * @param isBlocking the put blocks this thread. Then no code of it can write to the item
   * meanwhile, and what the codec did not copy need not be copied. Another thread can write to
   * shared memory, but that it can during any put.
   */
  keep(record: Encoded, isBlocking: boolean): KeptRecord {
    return new KeptRecord(record, !isBlocking || outbox.holds(record.bytes));
  }

  encodeAll(items: Iterable<T>, batch: Batch): void {
    if (typeof Object(items)[Symbol.iterator] !== 'function') {
      throw new TypeError('items must be iterable');
    }
    for (const item of items) batch.add(this.encode(item, batch));
  }

  /** Puts a record. Returns false if there is no room. */
  tryPut({ type, bytes, start, end }: Encoded): boolean {
    const { native } = this.#queue;
    if (start !== end && !outbox.holds(bytes)) {
      return this.hasPut(this.operations.put(native, type, bytes, start, end));
    }
    order[0] = type;
    order[1] = start;
    order[2] = end;
    this.operations.putOutbox(native);
    return this.hasPut(answer[at.status]!);
  }

  /** Whether a call has just put its record. */
  hasPut(status: number): boolean {
    this.#isStorageFull = status === transferStatus.storageFull;
    const isPut = this.succeeded(status);
    if (isPut) publishItems(this.#queue, 'put');
    return isPut;
  }

  /**
   * Puts the records of a batch. Returns false if some of them have no room yet. `batch.put` counts
   * those that have been put.
   */
  tryPutBatch(batch: Batch): boolean {
    while (batch.put < batch.length) {
      const { sources, table } = batch;
      const put = this.operations.putMany(this.#queue.native, sources, table, batch.put);
      batch.put += put;
      this.#isStorageFull = answer[at.status]! === transferStatus.storageFull;
      if (put > 0) publishItems(this.#queue, 'put', put);
      if (!this.succeeded() && put === 0) return false;
    }
    return true;
  }

  tryGet(): T | undefined {
    const bytes = this.operations.get(this.#queue.native) ?? inbox;
    if (!this.succeeded()) return undefined;
    publishItems(this.#queue, 'get');
    return this.#decode(answer[at.type]!, bytes, 0, answer[at.length]!);
  }

  take(): Received | undefined {
    return this.received(this.operations.get(this.#queue.native), 'get');
  }

  /**
   * The record that a call has just taken out. It is in `bytes`, or in the mailbox if `bytes` is
   * undefined.
   */
  received(bytes: Buffer | undefined, how: 'get' | 'take'): Received | undefined {
    if (!this.succeeded()) return undefined;
    publishItems(this.#queue, how);
    return { type: answer[at.type]!, bytes: keep(bytes ?? inbox, 0, answer[at.length]!) };
  }

  tryGetMany(count: number): T[] | undefined {
    const large = this.operations.getMany(this.#queue.native, count);
    if (!this.succeeded()) return undefined;
    const { rows } = result;
    publishItems(this.#queue, 'get', (large?.[1] ?? rows).length / 3);
    if (large !== undefined) return this.decodeAll(large);
    for (let i = 0; i < rows.length; i += 3) {
      if (!runsNothing(rows[i]!)) return this.decodeAll(keepAll(rows));
    }
    return this.decodeAll([inbox, rows, []]);
  }

  takeMany(count: number): ReceivedBatch | undefined {
    const large = this.operations.getMany(this.#queue.native, count);
    if (!this.succeeded()) return undefined;
    publishItems(this.#queue, 'get', (large?.[1] ?? result.rows).length / 3);
    return large ?? keepAll(result.rows);
  }

  decode({ type, bytes }: Received): T {
    return this.#decode(type, bytes, 0, bytes.length);
  }

  /** Decodes a batch. If a record cannot be decoded, the error has the items that could. */
  decodeAll([bytes, rows, buffers]: ReceivedBatch): T[] {
    const items: T[] = [];
    const errors: DecodeError<T>[] = [];
    for (let i = 0; i < rows.length; i += 3) {
      const type = rows[i]!;
      const start = rows[i + 1]!;
      const end = rows[i + 2]!;
      try {
        if (end === inBuffer) {
          const buffer = buffers[start]!;
          items.push(this.#decode(type, buffer, 0, buffer.length));
        } else {
          items.push(this.#decode(type, bytes, start, end));
        }
      } catch (error) {
        errors.push(error as DecodeError<T>);
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return items;
    throw Object.assign(first, { items, others });
  }

  #decode(type: number, bytes: Buffer, start: number, end: number): T {
    return decodeItem(this.#codec, this.#queue, type, bytes, start, end) as T;
  }

  /** True if the call has put or taken its records; false if it could not do so yet. */
  succeeded(status = answer[at.status]!): boolean {
    if (status === transferStatus.yes) return true;
    if (status === transferStatus.notYet || status === transferStatus.storageFull) return false;
    throw this.#failure(status);
  }

  /** Why a put waits, if it waits for more than room. */
  readonly cause = (): NoSpaceError | undefined =>
    this.#isStorageFull ? (this.#failure(transferStatus.noSpace) as NoSpaceError) : undefined;

  #failure(status: number): HoldfastError | RangeError {
    const { kind, name, native } = this.#queue;
    const options = { kind, objectName: name };
    switch (status) {
      case transferStatus.ended:
        return new EndedError(`${label(kind, name)}: it was ended`, options);
      case transferStatus.tooLarge:
        return new RangeError(
          `${label(kind, name)}: an item can have ${this.operations.largestItem(native)} bytes ` +
            'at most; see maxBytes',
        );
      case transferStatus.noSpace:
        return new NoSpaceError(
          `${label(kind, name)}: it has to grow, and there is no space`,
          options,
        );
      default:
        return new CorruptError(`${label(kind, name)}: its ring makes no sense`, options);
    }
  }
}

/** Copies the records in the mailbox that `rows` describe. */
function keepAll(rows: Uint32Array): ReceivedBatch {
  return [keep(inbox, 0, rows.at(-1)!), rows.slice(), []];
}
