// What the addon offers: its interfaces describe native/addon, line by line.
import type { KindName } from '../options.js';
import type { WritersToBypass } from './enums.js';

/** What open() of the addon returns for each kind. */
export interface NativeKinds {
  Lock: NativeOwned;
  RLock: NativeOwned;
  Semaphore: NativeSemaphore;
  BoundedSemaphore: NativeBounded;
  Condition: NativeCondition;
  Event: NativeEvent;
  Barrier: NativeBarrier;
  Queue: NativeQueue;
  JoinableQueue: NativeJoinableQueue;
  SharedMemory: NativeSharedMemory;
  ReadWriteLock: NativeReadWrite;
}
export type NativeOf<K extends KindName> = NativeKinds[K];

/** What every object can do (native/addon/handle.h, `Common`). */
export interface NativeObject {
  /** `/hf-...`, or '' where there is no semaphore. */
  readonly posixName: string;
  /** False: this thread holds it, acquired it through this handle or has no other. */
  mayClose(): boolean;
  close(): void;
  unlink(): void;
}

/** One wait set of an object (native/core/registry/wait_set.h): it wakes the threads that wait. */
export interface NativeWaitable {
  /** The number by which a wake-up names this wait set. */
  readonly tag: number;
  /**
   * Enters this thread, with the number of its pending waits, into the wait set. `index` is what
   * the last call returned; -1 for the first call.
   */
  enrol(index: number, waiting: number): number;
  /** Removes the entry. Returns false if a wake-up for it is on its way already. */
  cancel(index: number): boolean;
  /**
   * Looks whether what is waited for is there, for up to 20 us where spinning has helped lately.
   * Returns true if it is worth trying.
   */
  spinBriefly(): boolean;
  /** Wakes another waiter instead of this one. */
  passOn(): void;
}

/** What can be acquired (native/addon/handle.h, `Acquirable`). */
export interface NativeAcquirable extends NativeObject, NativeWaitable {
  /** 0: not acquired. n: the number of the hold. -n: the same, and the last holder died. */
  tryAcquire(): number;
  /**
   * The same for a caller that is about to wait: does not ask whether the holder lives, which takes
   * a system call.
   */
  tryFree(): number;
  /** Blocks the thread for `ms` or one slice, whichever is shorter; answers like tryAcquire. */
  wait(ms: number): number;
  /** Counts an acquisition that has to wait. */
  contend(): void;
}

/** Something whose holds end one by one. */
export interface NativeHolds {
  releaseHold(hold: number): void;
}

/** Who holds something. */
export interface NativeAgent {
  pid: number;
  threadId: number;
  processName: string;
}

export interface NativeOwnedState {
  locked: boolean;
  abandoned: boolean;
  owner: NativeAgent | null;
  waiters: number;
  acquisitions: number;
  contentions: number;
  abandonments: number;
}

/** Lock and RLock (native/addon/owned.h). */
export interface NativeOwned extends NativeAcquirable, NativeHolds {
  release(): void;
  /** Releases this thread's hold whole, and returns its number; its depth is depth(). */
  giveUp(): number;
  /** Makes what was just acquired into the hold that was given up. */
  resume(hold: number, depth: number): void;
  heldByMe(): boolean;
  depth(): number;
  locked(): boolean;
  inspect(): NativeOwnedState;
}

/** Semaphore (native/addon/semaphore.cc). */
export interface NativeSemaphore extends NativeAcquirable {
  release(count: number): void;
  value(): number;
  inspect(): {
    value: number;
    initial: number;
    waiters: number;
    acquisitions: number;
    contentions: number;
  };
}

/** BoundedSemaphore (native/addon/bounded_semaphore.cc). */
export interface NativeBounded extends NativeAcquirable, NativeHolds {
  release(): void;
  value(): number;
  allMine(): boolean;
  inspect(): {
    permits: number;
    value: number;
    holders: NativeAgent[];
    waiters: number;
    acquisitions: number;
    contentions: number;
    abandonments: number;
  };
}

/**
 * ReadWriteLock (native/addon/read_write_lock.cc). Arguments are numbers. Holds are answered like
 * NativeAcquirable's.
 */
export interface NativeReadWrite extends NativeObject, NativeHolds {
  readonly readers: NativeWaitable;
  readonly writers: NativeWaitable;
  tryShared(bypass: WritersToBypass): number;
  waitShared(bypass: WritersToBypass, ms: number): number;
  tryExclusive(): number;
  /** As tryExclusive, but stays in front of the readers until withdraw(). */
  claimExclusive(): number;
  waitExclusive(ms: number): number;
  withdraw(): void;
  contend(): void;
  readsHere(): boolean;
  writesHere(): boolean;
  /** No more readers fit in, and all that there are are this thread's. */
  allMine(): boolean;
  inspect(): {
    writer: NativeAgent | null;
    readers: NativeAgent[];
    abandoned: boolean;
    waitingReaders: number;
    waitingWriters: number;
    acquisitions: number;
    contentions: number;
    abandonments: number;
  };
}

/** Event (native/addon/event.cc). */
export interface NativeEvent extends NativeObject, NativeWaitable {
  set(): void;
  clear(): void;
  isSet(): boolean;
  /** How often it was set: where a wait begins. */
  sets(): number;
  /** Is it set, or was it since? */
  happened(since: number): boolean;
  wait(since: number, ms: number): boolean;
  inspect(): { isSet: boolean; sets: number; waiters: number };
}

/** Condition (native/addon/condition.cc). What is called with the lock held is marked. */
export interface NativeCondition extends NativeObject, NativeWaitable {
  readonly lockKind: number;
  readonly lockName: string;
  /** False if it goes with another lock of that name. */
  bind(lockTag: number): boolean;
  /** With the lock. The place of a wait; -1 if there are too many. */
  begin(): number;
  /** With the lock. Ends a wait; was it notified? */
  finish(place: number): boolean;
  /** With the lock. How many were notified. */
  notify(count: number): number;
  /** With the lock. Gives on what dead waiters were notified of. */
  rescue(): void;
  look(place: number): number;
  wait(place: number, ms: number): number;
  inspect(): { waiters: number; notifications: number };
}

export type NativeArrival = readonly [status: number, round: number, index: number];

/** Barrier (native/addon/barrier.cc). */
export interface NativeBarrier extends NativeObject {
  readonly parties: number;
  /** Rings when a round ends. */
  readonly passage: NativeWaitable;
  /** Rings when the next may begin. */
  readonly opening: NativeWaitable;
  arrive(acts: 0 | 1): NativeArrival;
  waitToArrive(acts: 0 | 1, ms: number): NativeArrival;
  finish(round: number): number;
  look(round: number): number;
  wait(round: number, ms: number): number;
  breakRound(round: number): void;
  abort(): void;
  reset(): void;
  broken(): boolean;
  waiting(): number;
  inspect(): { parties: number; waiting: number; broken: boolean; round: number; breaks: number };
}

/** SharedMemory (native/addon/shared_memory.cc). */
export interface NativeSharedMemory extends NativeObject {
  readonly size: number;
  map(): ArrayBuffer;
  detach(buffer: ArrayBuffer): void;
  inspect(): { size: number };
}

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
export interface NativeQueue extends NativeObject {
  readonly codec: number;
  readonly largestItem: number;
  readonly items: NativeWaitable;
  readonly room: NativeWaitable;
  /** How it went. */
  put(type: number, bytes: Uint8Array, start: number, end: number): number;
  /** From the given record on; how many were put. Table: type, source, start and end of each. */
  putMany(sources: readonly Uint8Array[], table: Uint32Array, from: number): number;
  /** The bytes of a record; undefined if they are in the mailbox (src/records/mailbox.ts). */
  get(): Buffer | undefined;
  /** Bytes and table; undefined if they are in the mailbox. */
  getMany(count: number): readonly [bytes: Buffer, table: Uint32Array] | undefined;
  /** Block the thread for `ms` or one slice; true if it is worth trying. */
  waitToGet(ms: number): boolean;
  waitToPut(ms: number): boolean;
  end(): void;
  ended(): boolean;
  size(): number;
  full(): boolean;
  inspect(): NativeQueueState;
}

export interface NativeJoinableQueueState extends NativeQueueState {
  leased: number;
  unfinished: number;
  joiners: number;
}

/** JoinableQueue (native/addon/queue.cc). */
export interface NativeJoinableQueue extends NativeQueue {
  /** Rings when all is worked off. */
  readonly rest: NativeWaitable;
  /** As get(). */
  take(): Buffer | undefined;
  settle(place: number, delivery: number, done: boolean): void;
  taskDone(): void;
  finished(): boolean;
  waitToJoin(ms: number): boolean;
  inspect(): NativeJoinableQueueState;
}

export interface NativeListing {
  kind: number;
  name: string;
  persistent: boolean;
  inUse: boolean;
  /** '' if it is this program's. */
  format: string;
}

/** Where the addon leaves what it takes out of queues (native/addon/environment.h, `Mailbox`). */
export interface Mailbox {
  readonly inbox: Buffer;
  /** After getMany(): type, start and end of each record. */
  readonly table: Uint32Array;
  /** How the last call went (`transferStatus`); type and length, or a count; place and delivery. */
  readonly answer: Float64Array;
}

export interface NativeAddon {
  readonly defaultDirectory: string;
  readonly maxPermits: number;
  readonly maxOwnedPermits: number;
  readonly maxParties: number;
  readonly maxConditionWaits: number;
  readonly maxSharedMemory: number;
  readonly queueItemsMax: number;
  readonly queueBytesMin: number;
  readonly queueBytesMax: number;
  /** Kept here by src/native/once.ts, which makes it. */
  kept?: Map<string, unknown>;
  useMailbox(inbox: Buffer, table: Uint32Array, answer: Float64Array): void;
  configure(
    directory: string,
    threadId: number,
    processName: string,
    onWakeUps: (tags: number[]) => void,
    makeError: (
      code: number,
      kind: number,
      name: string,
      detail: string,
      errno: number,
      syscall: string,
    ) => Error,
  ): void;
  /**
   * Begins this thread's agent, for an object of that kind and name. Returns what tells the
   * directory from every other.
   */
  enter(kind: number, name: string): string;
  open(
    kind: number,
    name: string,
    fileKey: string,
    semaphoreKey: string,
    flags: number,
    initial: number,
    bytes: number,
    maxItems: number,
    maxBytes: number,
    codec: number,
    lockKind: number,
    lockName: string,
  ): unknown;
  list(): NativeListing[];
  unlink(kind: number, name: string, fileKey: string): void;
}
