// What can be told of all objects without opening them.
import type { ObservedState } from '../native/listing.js';
import { addon } from '../native/load.js';
import type { Holder } from '../holds/guard.js';
import { type KindName, readOptions } from '../options.js';
import { enterDirectory, kindNames } from './shared.js';

/** One object, as list() shows it. */
export interface ObjectEntry {
  /** The class of the object; `'unknown'` if only a later version of this package has it. */
  readonly kind: KindName | 'unknown';
  /** The name that it was made with. */
  readonly name: string;
  /** True if it stays when its last user is gone. */
  readonly persistent: boolean;
  /** True if a process has it open. If not, it is persistent, or a dead holder has left it. */
  readonly inUse: boolean;
  /**
   * Only of an object that this program cannot open, because its file has another format: which
   * one, in words. unlink() removes it.
   */
  readonly format?: string;
}

/** A live thread that holds an object or waits for it, as list() shows it. */
export interface Party extends Holder {
  /**
   * What it holds or waits for: a lock, in one of two modes; a permit; an item on lease; an item
   * or room in a queue; the end of a queue's work; something to happen.
   */
  readonly how: 'exclusive' | 'shared' | 'permit' | 'lease' | 'get' | 'put' | 'join' | 'wait';
  /** How many permits or holds it has, or how many of its calls wait. */
  readonly count: number;
}

/** What list({ state: true }) shows of one object. */
export interface ObjectState {
  /** The live threads that hold it. Not of a Semaphore, which knows no holders. */
  readonly holders: readonly Party[];
  /** The live threads that wait for it. */
  readonly waiters: readonly Party[];
  /** True if a holder died, and nobody has been told of it yet. */
  readonly abandoned: boolean;
  /**
   * Of a Lock, an RLock and the writer of a ReadWriteLock: for how many milliseconds it has been
   * seen held. The hold may be a slice (50 ms) older. null if that is not known.
   */
  readonly heldFor: number | null;
  /**
   * For how many milliseconds the longest waiter has waited: 0 below a slice (50 ms), and always 0
   * for an Event, a Condition, a Barrier and queues. null if nobody waits.
   */
  readonly longestWait: number | null;
  /** Acquisitions since it was made. */
  readonly acquisitions?: number;
  /** Acquisitions that had to wait. */
  readonly contentions?: number;
  /** Acquisitions after a holder that died; of a queue, deaths inside a change of it. */
  readonly abandonments?: number;
  /** BoundedSemaphore: all permits, free or held. */
  readonly permits?: number;
  /** Event: how often it was set. */
  readonly sets?: number;
  /** Condition: notifications since it was made. */
  readonly notifications?: number;
  /** Barrier: how many make a round. */
  readonly parties?: number;
  /** Barrier: how many have arrived in this round. */
  readonly arrived?: number;
  /** Barrier: the number of the round. */
  readonly round?: number;
  /** Queue, JoinableQueue: bytes that its ring has now. */
  readonly capacity?: number;
  /** Queue, JoinableQueue: items put since it was made. */
  readonly puts?: number;
  /** Queue, JoinableQueue: items that have left it since it was made. */
  readonly gets?: number;
  /** Queue, JoinableQueue: items that can be had now. */
  readonly size?: number;
  /** JoinableQueue: items on lease. */
  readonly leased?: number;
  /** JoinableQueue: items that nobody can take yet, because they were put with a delay. */
  readonly delayed?: number;
}

/** What list() is to tell. */
export interface ListOptions {
  /** If true: also who holds each object and who waits for it. False by default. */
  readonly state?: boolean | undefined;
}

/** One object, as list({ state: true }) shows it. */
export interface ObservedEntry extends ObjectEntry {
  /** null of a SharedMemory, a LockManager, and an object of another format. */
  readonly state: ObjectState | null;
}

/**
 * Every object of this user that exists now, of every version of this package: in use, persistent,
 * or left by a dead holder. A snapshot. Blocks only while another process has the directory locked.
 */
export function list(options?: { readonly state?: false | undefined }): ObjectEntry[];
/**
 * The same with the state of each object, which is read from its file. The object is not opened, so
 * it goes away with its last user all the same. Takes some 20 microseconds an object.
 */
export function list(options: { readonly state: true }): ObservedEntry[];
export function list(options: ListOptions = {}): ObjectEntry[] {
  const { state } = readOptions(options, ['state']) as { state: unknown };
  if (state !== undefined && typeof state !== 'boolean') {
    throw new TypeError(`state must be a boolean, not ${String(state)}`);
  }
  enterDirectory();
  return addon.list(state === true).map(({ kind, name, persistent, inUse, format, ...more }) => ({
    kind: kindNames[kind] ?? 'unknown',
    name,
    persistent,
    inUse,
    ...(format !== '' && { format }),
    ...(more.state !== undefined && { state: more.state satisfies ObservedState | null }),
  }));
}
