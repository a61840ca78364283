// What the addon offers: its interfaces describe native/addon, line by line.
//
// The addon makes one function for each operation of a kind, when it is loaded: `addon.Event.set`.
// Its first argument is the object (operations.ts). A function throws ClosedError when the object
// was closed, and TypeError when the argument is something else.
import type { KindName } from '../options.js';
import type { WritersToBypass } from './enums.js';
import type { NativeAgent, NativeListing } from './listing.js';
import type { LockManagerOperations } from './lock-manager.js';
import type { DirectionOperations, JoinableQueueOperations } from './queue.js';
import type { WaitSetOperations } from './wait-set.js';

declare const kindOf: unique symbol;

/** An open object of this thread. Code that works with the object keeps it. */
export interface Native<K extends KindName = KindName> {
  readonly [kindOf]: K;
  /** Its place among the thread's objects: native/addon/natives.h. */
  readonly place: number;
  /** An External, in which JavaScript sees nothing. When it is collected the object is closed. */
  readonly external: object;
}

/** What every object can do (native/addon/addon.cc). */
export interface CommonOperations {
  /**
   * False if this thread holds it, and acquired it through this object or has no other object for
   * it.
   */
  mayClose(object: Native): boolean;
  close(object: Native): void;
  unlink(object: Native): void;
  /** The name of the semaphore, `/hf-...`; '' if there is none. */
  posixName(object: Native): string;
  /** Have its files been removed by hand? Some system calls. */
  isRemoved(object: Native): boolean;
  /**
   * Does nothing but to throw RemovedError if they have. Looks once a slice, by some system calls.
   */
  needFiles(object: Native): void;
  /**
   * Descriptors for a child process. As long as it has them open, others take this thread for alive
   * and the object for used. The caller closes them. -1 where none could be had.
   */
  forChild(object: Native): number[];
}

/**
 * The outcome of an acquisition as one number. 0: not acquired. n: the number of the hold. -n: the
 * same, and the last holder died. HeldGuard (src/holds/guard.ts) is made of it, and is the only
 * code that decodes it.
 */
export type Outcome = number;

/** The operations of what can be waited for without acquiring it (native/addon/waiting.h). */
export interface FreeOperations<N> {
  /** Could somebody acquire it now? */
  isFree(object: N): boolean;
  /** Blocks the thread for `ms` or one slice, whichever is shorter; answers like the above. */
  waitUntilFree(object: N, ms: number): boolean;
}

/**
 * The operations of what can be acquired (native/addon/waiting.h). `R` is an Outcome, or boolean
 * where there are no holds.
 */
export interface AcquirableOperations<N, R> extends FreeOperations<N> {
  readonly waiters: WaitSetOperations<N>;
  /** Acquires it if it is free, or if its holder died. Does not wait. */
  tryAcquireOrRescue(object: N): R;
  /**
   * Like tryAcquireOrRescue, for a caller that is about to wait. It does not ask whether the holder
   * lives, because that takes a system call.
   */
  tryAcquire(object: N): R;
  /** Blocks the thread for `ms` or one slice, whichever is shorter; answers like the above. */
  wait(object: N, ms: number): R;
  /** Counts an acquisition that has to wait. */
  contend(object: N): void;
}

export interface NativeOwnedState {
  locked: boolean;
  abandoned: boolean;
  owner: NativeAgent | null;
  heldFor: number | null;
  waiters: number;
  longestWait: number | null;
  acquisitions: number;
  contentions: number;
  abandonments: number;
}

/** Lock and RLock (native/addon/owned.h). */
export interface OwnedOperations<N> extends AcquirableOperations<N, Outcome> {
  /**
   * Like tryAcquireOrRescue, for a thread that has enrolled. It asks whether the holder lives only
   * if the event loop does not hear of its death.
   */
  tryAcquireEnrolled(object: N): Outcome;
  release(object: N): void;
  releaseHold(object: N, hold: number): void;
  /** Releases this thread's hold whole, and returns its number. depth() is its depth. */
  giveUp(object: N): number;
  /** Turns the hold that was just acquired into the one that was given up. */
  resume(object: N, hold: number, depth: number): void;
  isHeldByCaller(object: N): boolean;
  depth(object: N): number;
  locked(object: N): boolean;
  inspect(object: N): NativeOwnedState;
}

/** Semaphore (native/addon/semaphore.cc). */
export interface SemaphoreOperations<N> extends AcquirableOperations<N, boolean> {
  release(object: N, count: number): void;
  value(object: N): number;
  inspect(object: N): {
    value: number;
    initial: number;
    waiters: number;
    longestWait: number | null;
    acquisitions: number;
    contentions: number;
  };
}

/** BoundedSemaphore (native/addon/bounded_semaphore.cc). */
export interface BoundedOperations<N> extends AcquirableOperations<N, Outcome> {
  release(object: N): void;
  releaseHold(object: N, hold: number): void;
  value(object: N): number;
  /** Free or held. */
  permits(object: N): number;
  allHeldByCaller(object: N): boolean;
  inspect(object: N): {
    permits: number;
    value: number;
    holders: NativeAgent[];
    waiters: number;
    longestWait: number | null;
    acquisitions: number;
    contentions: number;
    abandonments: number;
  };
}

/** ReadWriteLock (native/addon/read_write_lock.cc). */
export interface ReadWriteOperations<N> extends FreeOperations<N> {
  readonly readers: WaitSetOperations<N>;
  readonly writers: WaitSetOperations<N>;
  tryShared(object: N, bypass: WritersToBypass): Outcome;
  waitShared(object: N, bypass: WritersToBypass, ms: number): Outcome;
  tryExclusive(object: N): Outcome;
  /** Like tryExclusive, but keeps its place in front of the readers until withdraw(). */
  claimExclusive(object: N): Outcome;
  waitExclusive(object: N, ms: number): Outcome;
  withdraw(object: N): void;
  /** Ends a hold of either mode. */
  releaseHold(object: N, hold: number): void;
  contend(object: N): void;
  isReadByCaller(object: N): boolean;
  isWrittenByCaller(object: N): boolean;
  /** True if the lock has its largest number of readers, and all of them are this thread's. */
  allHeldByCaller(object: N): boolean;
  inspect(object: N): {
    writer: NativeAgent | null;
    heldFor: number | null;
    readers: NativeAgent[];
    abandoned: boolean;
    waitingReaders: number;
    waitingWriters: number;
    longestReaderWait: number | null;
    longestWriterWait: number | null;
    acquisitions: number;
    contentions: number;
    abandonments: number;
  };
}

/** Event (native/addon/event.cc). */
export interface EventOperations<N> {
  readonly waiters: WaitSetOperations<N>;
  set(object: N): void;
  clear(object: N): void;
  isSet(object: N): boolean;
  /** How often it was set so far. A wait remembers this number at its beginning. */
  sets(object: N): number;
  /** True if it is set, or has been set since that count. */
  happened(object: N, since: number): boolean;
  wait(object: N, since: number, ms: number): boolean;
  inspect(object: N): { isSet: boolean; sets: number; waiters: number };
}

/** Condition (native/addon/condition.cc). Some operations need the lock held, and say so. */
export interface ConditionOperations<N> {
  readonly waiters: WaitSetOperations<N>;
  lockKind(object: N): number;
  lockName(object: N): string;
  /** False if the condition belongs to another lock of that name. */
  bind(object: N, lockTag: number): boolean;
  /** Needs the lock. Begins a wait and returns its place; -1 if there are too many waits. */
  begin(object: N): number;
  /** Needs the lock. Ends a wait. True if it was notified. */
  finish(object: N, place: number): boolean;
  /** Needs the lock. Returns how many waits were notified. */
  notify(object: N, count: number): number;
  /** Needs the lock. Passes on the notifications that dead waiters had received. */
  rescue(object: N): void;
  statusOf(object: N, place: number): number;
  wait(object: N, place: number, ms: number): number;
  inspect(object: N): { waiters: number; notifications: number };
}

export type NativeArrival = readonly [status: number, round: number, index: number];

/** Barrier (native/addon/barrier.cc). */
export interface BarrierOperations<N> {
  /** Woken when a round ends. */
  readonly arrived: WaitSetOperations<N>;
  /** Woken when the next round may begin. */
  readonly arriving: WaitSetOperations<N>;
  parties(object: N): number;
  arrive(object: N, acts: boolean): NativeArrival;
  waitToArrive(object: N, acts: boolean, ms: number): NativeArrival;
  finish(object: N, round: number): number;
  checkRound(object: N, round: number): number;
  wait(object: N, round: number, ms: number): number;
  breakRound(object: N, round: number): void;
  abort(object: N): void;
  reset(object: N): void;
  broken(object: N): boolean;
  waiting(object: N): number;
  inspect(object: N): {
    parties: number;
    waiting: number;
    broken: boolean;
    round: number;
    breaks: number;
  };
}

/** SharedMemory (native/addon/shared_memory.cc). */
export interface SharedMemoryOperations<N> {
  size(object: N): number;
  map(object: N): ArrayBuffer;
  inspect(object: N): { size: number };
}

/** The operations of each kind. */
export interface Operations {
  readonly Lock: OwnedOperations<Native<'Lock'>>;
  readonly RLock: OwnedOperations<Native<'RLock'>>;
  readonly Semaphore: SemaphoreOperations<Native<'Semaphore'>>;
  readonly BoundedSemaphore: BoundedOperations<Native<'BoundedSemaphore'>>;
  readonly Condition: ConditionOperations<Native<'Condition'>>;
  readonly Event: EventOperations<Native<'Event'>>;
  readonly Barrier: BarrierOperations<Native<'Barrier'>>;
  readonly Queue: DirectionOperations<Native<'Queue'>>;
  readonly JoinableQueue: JoinableQueueOperations<Native<'JoinableQueue'>>;
  readonly SharedMemory: SharedMemoryOperations<Native<'SharedMemory'>>;
  readonly ReadWriteLock: ReadWriteOperations<Native<'ReadWriteLock'>>;
  readonly LockManager: LockManagerOperations<Native<'LockManager'>>;
}

/**
 * The memory in which the addon leaves what it takes out of queues (native/addon/environment.h,
 * `Mailbox`).
 */
export interface Mailbox {
  readonly inbox: Buffer;
  /** After getMany(): type, start and end of each record. */
  readonly table: Uint32Array;
  /**
   * What the last call came to: status (`transferStatus`); type and length of a record, or the
   * number of records; place and delivery of a lease.
   */
  readonly answer: Float64Array;
  /** For putOutbox(): type, start and end of the record. */
  readonly order: Uint32Array;
}

export interface NativeAddon extends Operations {
  readonly common: CommonOperations;
  /** The place of the object that the next operation is for; of the last one that was opened. */
  readonly subject: Uint32Array;
  /** The argument of the next operation, if it has one only and that is a number. */
  readonly number: Float64Array;
  readonly defaultDirectory: string;
  readonly maxPermits: number;
  readonly maxOwnedPermits: number;
  readonly maxParties: number;
  readonly maxConditionWaits: number;
  readonly maxSharedMemory: number;
  readonly queueItemsMax: number;
  readonly queueBytesMin: number;
  readonly queueBytesMax: number;
  /** Where named semaphores and shm_open(3) have their files; undefined if they have none. */
  readonly shmDirectory: string | undefined;
  /** Kills this process a second after the end of its parent, unless it ends by itself before. */
  endWithParent(pid: number): void;
  /** Detaches a buffer that map() made. Its object may be closed. */
  detachBuffer(buffer: ArrayBuffer): void;
  allowsExternalBuffers(): boolean; // does this runtime allow them?
  /** State of src/native/once.ts. load.ts makes this map. */
  kept?: Map<string, unknown>;
  useMailbox(inbox: Buffer, table: Uint32Array, answer: Float64Array, order: Uint32Array): void;
  /** In which putOutbox() finds its records, from now on. */
  useOutbox(bytes: Buffer): void;
  /** Its one word is read while this thread blocks: src/waiting/loop-waits.ts. */
  useLoopWaits(count: Int32Array): void;
  configure(
    directory: string,
    threadId: number,
    processName: string,
    hasLibuv: boolean,
    onWakeUps: (tags: number[]) => void,
    makeError: (
      code: number,
      kind: number,
      name: string,
      detail: string,
      errno: number,
      syscall: string,
    ) => Error,
    warn: (message: string) => void,
  ): void;
  /**
   * Begins this thread's agent, for an object of that kind and name. Returns what the names of the
   * directory's semaphores begin with.
   */
  enter(kind: number, name: string): string;
  open(
    kind: number,
    name: string,
    fileKey: string,
    flags: number,
    initial: number,
    bytes: number,
    maxItems: number,
    maxBytes: number,
    codec: number,
    lockKind: number,
    lockName: string,
  ): Native;
  /** Looks at the files of all that this thread holds. False if it holds nothing. */
  lookAtHeld(): boolean;
  /** All that this thread holds: tag, hold and mode (`holdModes`) of each, all in a row. */
  heldHere(): number[];
  /** The id of this thread's agent, as hearWaits() has it. */
  agentId(): string;
  /** Tells all others of the long waits of this thread. False if that has to be tried again. */
  tellWaits(text: string): boolean;
  /** Tells less than before, without news: the version stays. False if it was not written. */
  takeBackWaits(text: string): boolean;
  /** What each live agent tells: its id, the version and the text, all in a row. */
  hearWaits(): (string | number)[];
  /** takeBackWaits(), if some others tell what was heard: their ids and texts. Otherwise false. */
  tellWaitsIfUnchanged(heard: string[], text: string): boolean;
  sweep(): boolean; // takes away some of what the dead have left; true if there may be more
  /** With `observes`, each entry has its `state`. */
  list(observes: boolean): NativeListing[];
  unlink(kind: number, name: string, fileKey: string): void;
}
