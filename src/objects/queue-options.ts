// The options and the states of Queue and JoinableQueue.
import { greatestPriority } from '../native/enums.js';
import {
  type OpenOptions,
  type WaitOptions,
  checkCount,
  longestTimeout,
  readOptions,
  show,
} from '../options.js';
import type { CodecChoice } from '../records/codec.js';
import type { Handle } from './shared.js';

/** How to open a Queue or JoinableQueue. */
export interface QueueOptions<T = unknown> extends OpenOptions {
  /**
   * The most items at a time, 1 to 16777215. Without it a new queue takes 16777215, and one that
   * exists is taken as it is.
   */
  maxSize?: number | undefined;
  /**
   * The most bytes of shared memory for items, 65536 to 1073741824. Without it a new queue takes
   * 67108864 (64 MiB), and one that exists is taken as it is. The queue starts with 64 KiB and
   * doubles when it needs to, so it can reach the last power of two that is not above `maxBytes`.
   * An item takes its bytes, rounded up to a multiple of 8, and 24 more.
   */
  maxBytes?: number | undefined;
  /**
   * How items become bytes; the same for all users of the queue. Without it a new queue has
   * `'structured'`, and one that exists is taken as it is.
   */
  codec?: CodecChoice<T> | undefined;
}

/** What `inspect()` shows of a Queue: a snapshot, which may be out of date when it is read. */
export interface QueueState {
  /** The class of the object. */
  readonly kind: 'Queue' | 'JoinableQueue';
  /** The name that it was opened with. */
  readonly name: string;
  /** Items that a get can take out now. */
  readonly size: number;
  /** Bytes of the ring that items take, including what the ring adds to each item. */
  readonly bytes: number;
  /** Bytes that the ring has now. */
  readonly capacity: number;
  /** The most items at a time. */
  readonly maxSize: number;
  /** The most bytes that the ring may grow to. */
  readonly maxBytes: number;
  /** True if any process has called end(). */
  readonly ended: boolean;
  /** Waits for an item, in live threads of all processes. */
  readonly getters: number;
  /** Waits for room, in live threads of all processes. */
  readonly putters: number;
  /** Items that have been put since the queue was made. */
  readonly puts: number;
  /** Items that have left the queue since it was made. */
  readonly gets: number;
  /** How often a thread died inside a change of the queue. */
  readonly abandonments: number;
}

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
   * each thread that takes has its own, so give all of them the same. The handle has it.
   */
  maxDeliveries?: number | undefined;
}

/** What toJSON() of a JoinableQueue gives; attach() opens it with the same `maxDeliveries`. */
export interface JoinableQueueHandle extends Handle<'JoinableQueue'> {
  /** The `maxDeliveries` of the object, if it has one. */
  readonly maxDeliveries?: number;
}

/** How to put into a JoinableQueue. */
export interface PutOptions extends WaitOptions {
  /**
   * Milliseconds, 0 to 2147483647: nobody can take the item before they have passed since the put.
   * 0 by default.
   */
  delay?: number | undefined;
  /**
   * A whole number, 0 to 9: items with a greater one are taken sooner. Those that have the same are
   * taken in the order in which they were put. 0 by default.
   */
  priority?: number | undefined;
}

const putOptions = ['timeout', 'signal', 'delay', 'priority'] as const;
const retryOptions = ['delay', 'reason'] as const;

/** @internal What a put into a JoinableQueue says of the item. */
export interface Urgency {
  readonly delay: number;
  readonly priority: number;
}

/**
 * @internal Reads the options of a put into a JoinableQueue. Undefined for an item that may be
 * taken at once, in its turn.
 */
export function readPut(options: PutOptions): [urgency: Urgency | undefined, wait: WaitOptions] {
  const { delay = 0, priority = 0, timeout, signal } = readOptions(options, putOptions);
  checkDelay(delay);
  checkCount('priority', priority, 0, greatestPriority);
  const isPlain = delay === 0 && priority === 0;
  const urgency = isPlain ? undefined : ({ delay, priority } as Urgency);
  return [urgency, { timeout, signal } as WaitOptions];
}

/** @internal Reads the options of a retry: its delay, and its reason as text. */
export function readRetry(options: object | undefined): [delay: number, reason?: string] {
  if (options === undefined) return [0];
  const { delay, reason } = readOptions(options, retryOptions);
  checkDelay(delay);
  if (reason === undefined) return [delay ?? 0];
  if (reason instanceof Error) return [delay ?? 0, String(reason)];
  if (typeof reason !== 'string') {
    throw new TypeError(`reason must be a string or an Error, not ${show(reason)}`);
  }
  return [delay ?? 0, reason];
}

function checkDelay(delay: unknown): asserts delay is number | undefined {
  if (delay === undefined) return;
  if (typeof delay !== 'number') {
    throw new TypeError(`delay must be a number of milliseconds, not ${show(delay)}`);
  }
  if (!(delay >= 0 && delay <= longestTimeout)) {
    throw new RangeError(`delay must be 0 to ${longestTimeout} milliseconds, not ${delay}`);
  }
}
