// The options and the state of a JoinableQueue.
import type { QueueOptions, QueueState } from './queue.js';

/**
 * What `inspect()` shows of a JoinableQueue: a snapshot, which may be out of date when it is read.
 */
export interface JoinableQueueState extends QueueState {
  /** Items that are on lease to live threads. */
  readonly leased: number;
  /** Items that nobody can take yet, because of a `delay`. */
  readonly delayed: number;
  /** Items that were put and are not done: join() waits for them. */
  readonly unfinished: number;
  /** Calls of join() that wait, in live threads of all processes. */
  readonly joiners: number;
}

/** How to open a JoinableQueue. */
export interface JobQueueOptions<T = unknown> extends QueueOptions<T> {
  /**
   * How often an item is handed out at the most, 1 to 1000000. An item that was not done then goes
   * to the dead-letter queue `dead`. Without it there is no limit. It is no property of the queue:
   * each thread that takes has its own, so give all of them the same.
   */
  maxDeliveries?: number | undefined;
}
