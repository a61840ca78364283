// What the addon offers for a Queue and a JoinableQueue: see bindings.ts.
import type { WaitSetOperations } from './wait-set.js';

export interface NativeQueueState {
  size: number;
  bytes: number;
  capacity: number;
  maxSize: number;
  maxBytes: number;
  ended: boolean;
  getters: number;
  putters: number;
  puts: number;
  gets: number;
  abandonments: number;
}

/** Queue (native/addon/queue.cc). */
export interface QueueOperations<N> {
  readonly getters: WaitSetOperations<N>;
  readonly putters: WaitSetOperations<N>;
  codec(object: N): number;
  largestItem(object: N): number;
  /** Puts a record, and returns a transferStatus. */
  put(object: N, type: number, bytes: Uint8Array, start: number, end: number): number;
  /**
   * Puts the record whose type, start and end in the outbox are in the mailbox (`order`). Leaves a
   * transferStatus there (`answer`).
   */
  putOutbox(object: N): void;
  /**
   * Puts records from index `from` on, and returns how many were put. The table has type, source,
   * start and end of each.
   */
  putMany(object: N, sources: readonly Uint8Array[], table: Uint32Array, from: number): number;
  /**
   * Returns the bytes of a record; undefined if they are in the mailbox (src/records/mailbox.ts).
   */
  get(object: N): Buffer | undefined;
  /**
   * Returns the records; undefined if they are in the mailbox. A row of the table is the type, the
   * start and the end of a record in `bytes`. For a large record it is the type, an index into
   * `buffers`, and 2^32 - 1.
   */
  getMany(
    object: N,
    count: number,
  ): readonly [bytes: Buffer, table: Uint32Array, buffers: readonly Buffer[]] | undefined;
  /**
   * Both block the thread for `ms` or one slice, whichever is shorter. They return true if a try
   * may succeed.
   */
  waitToGet(object: N, ms: number): boolean;
  waitToPut(object: N, ms: number): boolean;
  end(object: N): void;
  ended(object: N): boolean;
  size(object: N): number;
  full(object: N): boolean;
  inspect(object: N): NativeQueueState;
}

/** One direction of a Pipe (native/addon/queue.cc). */
export interface DirectionOperations<N> extends QueueOperations<N> {
  /** waitToGet(), which also ends when nobody holds the ReadWriteLock at that place. */
  waitToGetOrFree(object: N, place: number, ms: number): boolean;
}

export interface NativeJoinableQueueState extends NativeQueueState {
  leased: number;
  delayed: number;
  unfinished: number;
  joiners: number;
}

/** JoinableQueue (native/addon/queue.cc). */
export interface JoinableQueueOperations<N> extends QueueOperations<N> {
  /** Woken when all items are done. */
  readonly joiners: WaitSetOperations<N>;
  /** Leases an item; returns like get(). */
  take(object: N): Buffer | undefined;
  settle(object: N, place: number, delivery: number, done: boolean): void;
  /** Gives the item back; it is ready when `delay` milliseconds have passed. */
  retryLater(object: N, place: number, delivery: number, delay: number): void;
  /** Like put(); the item is ready when `delay` milliseconds have passed. */
  putJob(
    object: N,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    delay: number,
    priority: number,
  ): number;
  taskDone(object: N): void;
  finished(object: N): boolean;
  waitToJoin(object: N, ms: number): boolean;
  inspect(object: N): NativeJoinableQueueState;
}
