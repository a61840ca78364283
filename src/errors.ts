// Every error that is not a wrong argument. A wrong argument is a TypeError or a RangeError.
import { types } from 'node:util';
import { brand } from './brand.js';

/** What an error of this package is made with, beside its message. */
export interface HoldfastErrorOptions extends ErrorOptions {
  /** The system's error number (positive), where a system call failed. */
  errno?: number | undefined;
  /** The system call that failed. */
  syscall?: string | undefined;
  /** The kind of object that it happened to. */
  kind?: string | undefined;
  /** The name of that object. */
  objectName?: string | undefined;
}

/** What a ProcessError is made with, beside its message. */
export interface ProcessErrorOptions extends HoldfastErrorOptions {
  /** The exit code of the process, as `Process.exitCode` has it. */
  exitCode?: number | undefined;
  /** The signal that ended the process. */
  signal?: string | undefined;
}

/** Makes an error class whose `instanceof` also accepts errors of other copies of this package. */
function named(Class: Function, name: string): void {
  Class.prototype.name = name;
  brand(Class, name);
}

/**
 * The base of all errors of this package except EncodeError. `code` is stable; messages may change.
 */
export class HoldfastError extends Error {
  static {
    named(this, 'HoldfastError');
  }
  /** The code of this error. It stays the same in later versions. */
  readonly code: string;
  // Only declared, so that an error that has none of them does not show them as undefined.
  /** The system's error number (positive), where a system call failed. */
  declare readonly errno: number | undefined;
  /** The system call that failed, where one did. */
  declare readonly syscall: string | undefined;
  /** The kind of object that it happened to, such as `Lock`. */
  declare readonly kind: string | undefined;
  /** The name of that object. */
  declare readonly objectName: string | undefined;

  constructor(code: string, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options);
    this.code = code;
    const { errno, syscall, kind, objectName } = options;
    if (errno !== undefined) this.errno = errno;
    if (syscall !== undefined) this.syscall = syscall;
    if (kind !== undefined) this.kind = kind;
    if (objectName !== undefined) this.objectName = objectName;
  }
}

/** The timeout passed before the wait could end. Nothing was acquired, put or got. */
export class TimeoutError extends HoldfastError {
  static {
    named(this, 'TimeoutError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_TIMEOUT', message, options);
  }
}

/**
 * A release of something that is not held, or through a guard whose hold another caller has ended.
 * In the second case two callers may have been inside at once.
 */
export class NotLockedError extends HoldfastError {
  static {
    named(this, 'NotLockedError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_NOT_LOCKED', message, options);
  }
}

/**
 * The caller does not hold what it releases or uses: an RLock, or the lock of a Condition for
 * wait() and notify(). Also done() of a task that a loop over JoinableQueue.tasks() has given back.
 */
export class NotOwnerError extends HoldfastError {
  static {
    named(this, 'NotOwnerError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_NOT_OWNER', message, options);
  }
}

/**
 * A release too many: it would bring a semaphore past its largest value, or taskDone() was called
 * more often than items were got. Nothing has changed.
 */
export class OverReleaseError extends HoldfastError {
  static {
    named(this, 'OverReleaseError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_OVER_RELEASE', message, options);
  }
}

/** One wait of a deadlock. */
export interface DeadlockedWait {
  /** The process id of the waiter. */
  readonly pid: number;
  /** The thread that waits: 0 for the main thread of the process, else the worker's `threadId`. */
  readonly threadId: number;
  /** The name of its process: that of its Process object, or `MainProcess`. */
  readonly processName: string;
  /** Of a lock of a cluster: the host of its process. */
  readonly host?: string;
  /** The class of the object that it waits for. */
  readonly kind: string;
  /** The name of that object; of a LockManager its namespace. */
  readonly name: string;
  /** Of a LockManager: the name of the lock. */
  readonly lock?: string;
  /** How it is to be held. `exclusive` of a semaphore: its turn to take several permits. */
  readonly how: 'exclusive' | 'shared' | 'permit';
  /** For how many milliseconds it has waited; 0 of a wait that was refused at once. */
  readonly waitedFor: number;
  /** The threads in the deadlock that hold it, or are in front of this wait. */
  readonly heldBy: readonly {
    /** The process id. */
    readonly pid: number;
    /** The thread, as above. */
    readonly threadId: number;
    /** The name of its process. */
    readonly processName: string;
    /** Of a lock of a cluster: its host. */
    readonly host?: string;
  }[];
}

/** What a DeadlockError is made with. */
export interface DeadlockErrorOptions extends HoldfastErrorOptions {
  /** The waits that wait for each other. */
  cycle?: readonly DeadlockedWait[] | undefined;
}

/**
 * The wait could never end. Either the caller would wait for itself, or some waits have waited for
 * each other for a second; then the one that began last ends with this error. Nothing was acquired.
 */
export class DeadlockError extends HoldfastError {
  static {
    named(this, 'DeadlockError');
  }
  /**
   * The waits that waited for each other, each for the next one and the last for the first. The
   * first is the one that ended. If the caller would have waited for itself, it is the only one.
   */
  readonly cycle: readonly DeadlockedWait[];
  constructor(message: string, options?: DeadlockErrorOptions) {
    super('ERR_HOLDFAST_DEADLOCK', message, options);
    this.cycle = options?.cycle ?? [];
  }
}

/** The object was closed, before the call or while it waited. Nothing was acquired, put or got. */
export class ClosedError extends HoldfastError {
  static {
    named(this, 'ClosedError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_CLOSED', message, options);
  }
}

/** close() of an object through which this thread holds something. Release that first. */
export class HeldError extends HoldfastError {
  static {
    named(this, 'HeldError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_HELD', message, options);
  }
}

/** The option `exclusive` was given, and the name exists. */
export class ExistsError extends HoldfastError {
  static {
    named(this, 'ExistsError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_EXISTS', message, options);
  }
}

/** There is no object of that kind and name, and `mustExist`, attach() or unlink() needs one. */
export class NotFoundError extends HoldfastError {
  static {
    named(this, 'NotFoundError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_NOT_FOUND', message, options);
  }
}

/**
 * The name exists, but cannot be shared with this program: it has another kind, initial value,
 * limit or codec, or its file has another format.
 */
export class IncompatibleError extends HoldfastError {
  static {
    named(this, 'IncompatibleError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_INCOMPATIBLE', message, options);
  }
}

/**
 * Another program removed the directory, or files in it, while processes were using them: `rm -rf`,
 * a cleaner of temporary files, or systemd at a logout. Those processes still have the files open,
 * and may hold what is asked for. So a newcomer can make nothing until they have ended; the message
 * says which they are. In those processes nothing more can be acquired, put or got: release what is
 * held, close all objects and open them again, or restart.
 */
export class RemovedError extends HoldfastError {
  static {
    named(this, 'RemovedError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_REMOVED', message, options);
  }
}

/**
 * The content of the object's file is wrong: the file is not a whole object of holdfast, or its
 * words contradict each other. The file is left as it is.
 */
export class CorruptError extends HoldfastError {
  static {
    named(this, 'CorruptError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_CORRUPT', message, options);
  }
}

/**
 * Storage, file descriptors or memory have run out. Or one of the limits is reached: 4096 threads
 * of one user, 1024 waits of a Condition, the length of a file that the process may write (`ulimit
 * -f`). Nothing was left behind.
 */
export class NoSpaceError extends HoldfastError {
  static {
    named(this, 'NoSpaceError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_NO_SPACE', message, options);
  }
}

/**
 * This user may not use the directory or the object, or must not trust it: it is another user's, a
 * symbolic link, or open to others.
 */
export class PermissionError extends HoldfastError {
  static {
    named(this, 'PermissionError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_PERMISSION', message, options);
  }
}

/** A put after end(), or a get when the queue has been ended and drained. */
export class EndedError extends HoldfastError {
  static {
    named(this, 'EndedError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_ENDED', message, options);
  }
}

/**
 * Before all parties had arrived, one left the barrier, died, or called abort(). The barrier stays
 * broken until reset(). Or reset() was called while this party waited.
 */
export class BrokenBarrierError extends HoldfastError {
  static {
    named(this, 'BrokenBarrierError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_BROKEN_BARRIER', message, options);
  }
}

/**
 * An item was taken out of a queue, and its bytes could not be decoded. The queue goes on. `T` is
 * the type of the queue's items.
 */
export class DecodeError<T = unknown> extends HoldfastError {
  static {
    named(this, 'DecodeError');
  }
  /** The bytes of the item as they were in the queue. */
  readonly bytes: Buffer;
  /** The items of the same getMany() that could be decoded, in order. Empty for other calls. */
  readonly items: readonly T[] = [];
  /**
   * The errors of further items of the same getMany() that could not be decoded. Empty for other
   * calls.
   */
  readonly others: readonly DecodeError<T>[] = [];
  constructor(message: string, bytes: Buffer, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_DECODE', message, options);
    this.bytes = bytes;
  }
}

/**
 * The error of putMany() and putManySync(): a TimeoutError, an EndedError or any other error that
 * also says how many of the items were put. isPutManyError() recognises it.
 */
export interface PutManyError extends Error {
  /** How many of the items were put: the first `done` ones. */
  readonly done: number;
}

/**
 * True if putMany() or putManySync() failed with this error. Then `error.done` says how many items
 * were put. Every error of theirs has `done`, except the reason of an abort that is not an Error or
 * is frozen. Does not block.
 */
export function isPutManyError(error: unknown): error is PutManyError {
  return isError(error) && typeof (error as Partial<PutManyError>).done === 'number';
}

/**
 * True also for errors of another realm, as in Jest. isNativeError() is false for a DOMException
 * before Node 22, so `instanceof` is needed, too.
 */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** @internal Makes a PutManyError of an error, if it is one and can be changed. */
export function withDone(error: unknown, done: number): unknown {
  if (isError(error) && Object.isExtensible(error)) Object.assign(error, { done });
  return error;
}

/**
 * An item that the codec cannot encode. It is a wrong argument, and so a TypeError. Nothing was
 * put.
 */
export class EncodeError extends TypeError {
  static {
    named(this, 'EncodeError');
  }
  /** It stays the same in later versions. */
  readonly code = 'ERR_HOLDFAST_ENCODE';
}

/**
 * A Process that cannot be started, was used before it was started, or was started twice. Also one
 * that ended before its target returned: then `exitCode` and `signal` say how.
 */
export class ProcessError extends HoldfastError {
  static {
    named(this, 'ProcessError');
  }
  /** The exit code of the process that ended, as `Process.exitCode` has it. */
  declare readonly exitCode: number | undefined;
  /** The signal that ended it, such as `SIGKILL`, if one did. */
  declare readonly signal: string | undefined;
  constructor(message: string, options: ProcessErrorOptions = {}) {
    super('ERR_HOLDFAST_PROCESS', message, options);
    const { exitCode, signal } = options;
    if (exitCode !== undefined) this.exitCode = exitCode;
    if (signal !== undefined) this.signal = signal;
  }
}

/** How much of a name a message shows, in characters. */
const longestShown = 80;

/**
 * The name of an object in messages. Of a long name both ends are shown, because two long names may
 * differ only at their ends.
 */
export function label(kind: string, name: string): string {
  if (name === '') return kind;
  if (name.length <= longestShown) return `${kind} ${JSON.stringify(name)}`;
  const half = longestShown / 2;
  return `${kind} ${JSON.stringify(`${name.slice(0, half)}\u2026${name.slice(-half)}`)}`;
}
