// Written by scripts/agreed.mjs from native/agreed.mjs: change that.

/** Kinds of objects. In every file: part of the format. */
export const kinds = {
  Lock: 2,
  RLock: 3,
  Semaphore: 4,
  Queue: 5,
  BoundedSemaphore: 6,
  Condition: 7,
  Event: 8,
  Barrier: 9,
  JoinableQueue: 10,
  SharedMemory: 11,
  ReadWriteLock: 12,
  LockManager: 13,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

/** What open() of the addon is asked for: bits. */
export const openFlags = {
  exclusive: 1,
  mustExist: 2,
  persistent: 4,
  anonymous: 8,
  initialGiven: 16,
  lockGiven: 32,
} as const;
export type OpenFlag = (typeof openFlags)[keyof typeof openFlags];

/** How an agent holds something. claim: of a writer that waits for readers to leave. */
export const holdModes = {
  exclusive: 0,
  shared: 1,
  claim: 2,
} as const;
export type HoldMode = (typeof holdModes)[keyof typeof holdModes];

/** What a core operation came to. src/errors.ts has a class of error for every code but ok. */
export const errorCodes = {
  ok: 0,
  closed: 1,
  /** release of what nobody holds */
  notLocked: 2,
  /** release by another agent than the holder */
  notOwner: 3,
  /** a semaphore would pass its largest value */
  overRelease: 4,
  deadlock: 5,
  exists: 6,
  notFound: 7,
  /** the same name with another kind, limit or layout */
  incompatible: 8,
  /** a file that is not ours, or was ours once */
  corrupt: 9,
  /** storage, descriptors or slots have run out */
  noSpace: 10,
  /** a directory or object that this user must not trust, or may not use */
  permission: 11,
  /** another process kept the directory locked for longer than an open may wait */
  busy: 12,
  /** a put after end(), or a get when all is drained */
  ended: 13,
  /** anything else that the operating system refused */
  system: 14,
  /** somebody removed files of the directory while processes were using them */
  removed: 15,
} as const;
export type Code = (typeof errorCodes)[keyof typeof errorCodes];

/**
 * Which waiting writers a reader of a ReadWriteLock does not give way to. A thread that blocks
 * would otherwise wait for itself: for its own claim, which nothing serves meanwhile; and, if it
 * reads already, for the claim of any writer.
 */
export const writersToBypass = {
  nobody: 0,
  myself: 1,
  waiting: 2,
} as const;
export type WritersToBypass = (typeof writersToBypass)[keyof typeof writersToBypass];

/** What has become of a wait of a Condition. */
export const waitStatus = {
  none: 0,
  notified: 1,
  /** a waiter died after it was notified: rescue() passes the notification on */
  rescue: 2,
} as const;
export type WaitStatus = (typeof waitStatus)[keyof typeof waitStatus];

/** How far an arrival at a Barrier has come. */
export const arrivalStatus = {
  notYet: 0,
  /** the round is over and all were there */
  passed: 1,
  /** last to arrive: run the action, then finish() */
  act: 2,
  arrived: 3,
  broken: 4,
} as const;
export type ArrivalStatus = (typeof arrivalStatus)[keyof typeof arrivalStatus];

/** How a put or get of a queue went. */
export const transferStatus = {
  yes: 0,
  /** empty, full, or its mutex was taken for longer than a call may wait */
  notYet: 1,
  ended: 2,
  /** for this queue, ever */
  tooLarge: 3,
  /** the ring has to grow and the storage is full */
  noSpace: 4,
  corrupt: 5,
  /** as not_yet: the ring would have to grow, and there is no storage for that now */
  storageFull: 6,
} as const;
export type TransferStatus = (typeof transferStatus)[keyof typeof transferStatus];

/** What has become of a request to a LockManager. */
export const requestStatus = {
  pending: 0,
  granted: 1,
  /** it was granted, and another request stole the lock */
  stolen: 2,
  /** not at once; nothing was queued */
  unavailable: 3,
  /** the table has no room, or the storage */
  full: 4,
  /** there is no such request of this thread */
  gone: 5,
  /** the critical section was taken for longer than a call may wait: try again */
  busy: 6,
  corrupt: 7,
} as const;
export type RequestStatus = (typeof requestStatus)[keyof typeof requestStatus];

/** How a queue's items are encoded. In every queue's file: part of the format. */
export const codecs = {
  /** what a new queue has unless told otherwise */
  structured: 1,
  json: 2,
  buffer: 3,
  custom: 4,
} as const;
export type Codec = (typeof codecs)[keyof typeof codecs];

/** Bytes of the longest name of an object, in UTF-8, the NUL not counted. */
export const longestName = 4096;

/** The most requests of one table of a LockManager. */
export const mostRequests = 1048576;

/** The greatest priority of an item of a JoinableQueue. */
export const greatestPriority = 9;

/** Bytes of what an agent tells of its long waits (core/agents/told_waits.h). */
export const waitRecordMax = 1048576;

/** A waiter retries by itself after this long at the latest (INV-6). */
export const slice_ms = 50;

/** The same of a waiter that hears of everything that could end its wait (INV-28). */
export const doze_ms = 1000;

/** Others give way to an agent that has waited in vain for this long (INV-23). */
export const overdue_ms = 3;
