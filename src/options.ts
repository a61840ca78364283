// The options of public methods, and the checks of what callers pass in. A check throws before
// anything is touched.
import { longestName } from './native/enums.js';
import { nearest } from './spelling.js';

/** The kinds of objects: the name of the class of each. */
export type KindName =
  | 'Lock'
  | 'RLock'
  | 'Semaphore'
  | 'BoundedSemaphore'
  | 'Condition'
  | 'Event'
  | 'Barrier'
  | 'Queue'
  | 'JoinableQueue'
  | 'SharedMemory'
  | 'ReadWriteLock'
  | 'LockManager';

/** How long to wait: for the methods that return a promise. */
export interface WaitOptions {
  /**
   * Milliseconds, 0 to 2147483647; fractions count. With 0 the method tries once. Without it the
   * wait has no limit.
   */
  timeout?: number | undefined;
  /** Its abort ends the wait. The promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** How long to wait: for the methods that block the thread. No signal could reach those. */
export interface SyncWaitOptions {
  /**
   * Milliseconds, 0 to 2147483647; fractions count. With 0 the method tries once. Without it the
   * wait has no limit.
   */
  timeout?: number | undefined;
}

/** How to wait for something that somebody holds: for the methods that return a promise. */
export interface AcquireOptions extends WaitOptions {
  /**
   * If false: the wait takes no part in the search for deadlocks. It never ends with a
   * DeadlockError, and no other wait does because of it. Of runExclusive() and its like, nor does
   * the hold, and the callback does not run in an async context of its own. Before Node 24 that
   * costs 0.3 us, and 60 ns of each later promise of the thread. True by default.
   */
  deadlock?: boolean | undefined;
}

/** The same for the methods that block the thread. */
export interface SyncAcquireOptions extends SyncWaitOptions {
  /** As AcquireOptions has it. */
  deadlock?: boolean | undefined;
}

/** How to open an object. Every class takes these. */
export interface OpenOptions {
  /**
   * 1 to 4096 bytes of UTF-8 without NUL. The same name is the same object in every process of the
   * user. Without it the object is anonymous: others reach it through its handle (`toJSON()`).
   */
  name?: string | undefined;
  /** If true: fail with ExistsError if the name exists. False by default. */
  exclusive?: boolean | undefined;
  /** If true: fail with NotFoundError if the name does not exist. False by default. */
  mustExist?: boolean | undefined;
  /**
   * If true: keep the object when its last user has closed it or ended, until unlink(). False by
   * default. It needs a name. A reboot ends persistent objects, too, unless HOLDFAST_DIR is on a
   * disk (Linux).
   */
  persistent?: boolean | undefined;
}

/**
 * Who holds an RLock. `'mixed'`: acquire() and runExclusive() hold by async task, acquireSync() and
 * tryAcquire() by JS thread. `'thread'`: all of them hold by JS thread. `'async'`: acquire() and
 * runExclusive() hold by async task; acquireSync() and tryAcquire() go deeper in a task that holds
 * the lock, and otherwise acquire it for their guard alone.
 */
export type RLockScope = 'mixed' | 'thread' | 'async';

/** How to open an RLock. */
export interface RLockOptions extends OpenOptions {
  /**
   * Whether the task or the thread is the holder: `'mixed'` (the default), `'thread'` or `'async'`.
   * All objects of one thread for the lock must have one scope. Other threads and processes may
   * have another; it makes no difference to them.
   */
  scope?: RLockScope | undefined;
}

/** @internal Node's own longest timer. */
export const longestTimeout = 2 ** 31 - 1;

/** @internal For messages. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  return String(value);
}

/** The options of every object. */
const openOptions = ['name', 'exclusive', 'mustExist', 'persistent'] as const;
/** @internal The options of those kinds of object that have more. */
export const rlockOptions = [...openOptions, 'scope'] as const;
/** @internal */
export const queueOptions = [...openOptions, 'maxSize', 'maxBytes', 'codec'] as const;
/** @internal */
export const barrierOptions = [...openOptions, 'action', 'timeout'] as const;
/** @internal */
export const lockManagerOptions = [
  'namespace',
  'maxRequests',
  'exclusive',
  'mustExist',
  'persistent',
] as const;
/** @internal */
export const jobOptions = [...queueOptions, 'maxDeliveries'] as const;
const waitOptions = ['timeout', 'signal'] as const;
const acquireOptions = [...waitOptions, 'deadlock'] as const;

/**
 * @internal Reads the options `known`, each of them once, into an object of our own. A caller's
 * object may have getters, which could answer the check and the use differently. What was added to
 * Object.prototype is no option of anybody.
 *
 * @throws TypeError if this is no object; or for a key that is not known, because an object with a
 * misspelt name would get none. The error names the known key that is most like it.
 */
export function readOptions<K extends string>(
  options: unknown,
  known: readonly K[],
): Record<K, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`options must be an object, not ${show(options)}`);
  }
  // Every wait that is given options comes here, and `for in` makes no array. It also sees
  // inherited keys, among which may be anything: only a key of the object's own is refused.
  for (const key in options) {
    if (!known.includes(key as K) && Object.hasOwn(options, key)) throw unknownOption(key, known);
  }
  const read = {} as Record<K, unknown>;
  for (const key of known) read[key] = readOption(options, key);
  return read;
}

/** @internal Reads one option. A class may have it as a getter of its prototype. */
export function readOption(options: object, key: string): unknown {
  if (!Object.hasOwn(options, key)) {
    let holder: object | null = options;
    do holder = Object.getPrototypeOf(holder) as object | null;
    while (holder !== null && !Object.hasOwn(holder, key));
    // The last in every chain of prototypes is the Object.prototype of some realm.
    if (holder === null || Object.getPrototypeOf(holder) === null) return undefined;
  }
  return (options as Record<string, unknown>)[key];
}

function unknownOption(key: string, known: readonly string[]): TypeError {
  const shown = key.slice(0, 64);
  const meant = nearest(shown, known);
  return new TypeError(
    `unknown option ${show(shown)}; did you mean ${meant}? The options are ${known.join(', ')}`,
  );
}

/** @internal */
export function checkTimeout(timeout: unknown): asserts timeout is number | undefined {
  if (timeout === undefined) return;
  if (typeof timeout !== 'number') {
    throw new TypeError(`timeout must be a number of milliseconds, not ${show(timeout)}`);
  }
  if (!(timeout >= 0 && timeout <= longestTimeout)) {
    throw new RangeError(
      `timeout must be 0 to ${longestTimeout} milliseconds, not ${timeout}; ` +
        'leave it out to wait without a limit',
    );
  }
}

/**
 * @internal The beginning of every method that waits and returns a promise: reads its options.
 * Throws for wrong ones, and then the reason of a signal that was aborted before the call.
 */
export function readWait(
  options: AcquireOptions | undefined,
  known: readonly (keyof AcquireOptions)[] = waitOptions,
): AcquireOptions | undefined {
  if (options === undefined) return undefined;
  const read = readOptions(options, known);
  const { timeout, signal } = read;
  checkTimeout(timeout);
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TypeError(`signal must be an AbortSignal, not ${show(signal)}`);
  }
  const more = readDeadlock(read, known);
  signal?.throwIfAborted();
  return { timeout, signal, ...more };
}

/** @internal The same of a wait that may be in a deadlock. */
export function readAcquire(options: AcquireOptions | undefined): AcquireOptions | undefined {
  return readWait(options, acquireOptions);
}

/** Undefined for a wait that cannot be in a deadlock: it has no such option. */
function readDeadlock(
  read: Readonly<Record<string, unknown>>,
  known: readonly string[],
): { deadlock: boolean | undefined } | undefined {
  if (!known.includes('deadlock')) return undefined;
  const { deadlock } = read;
  if (deadlock !== undefined && typeof deadlock !== 'boolean') {
    throw new TypeError(`deadlock must be a boolean, not ${show(deadlock)}`);
  }
  return { deadlock };
}

/** @internal Of any realm: jsdom has a class of its own, and so has each vm context. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (value instanceof AbortSignal) return true;
  return (
    Object.prototype.toString.call(value) === '[object AbortSignal]' &&
    typeof (value as AbortSignal).addEventListener === 'function'
  );
}

/** @internal The beginning of every method that waits and blocks the thread. */
export function readSyncWait(
  options: SyncAcquireOptions | undefined,
  known: readonly (keyof AcquireOptions)[] = waitOptions,
): SyncAcquireOptions | undefined {
  if (options === undefined) return undefined;
  const read = readOptions(options, known);
  const { timeout, signal } = read;
  checkTimeout(timeout);
  if (signal !== undefined) {
    throw new TypeError('a synchronous wait cannot be aborted: no signal could reach it');
  }
  return { timeout, ...readDeadlock(read, known) };
}

/** @internal The same of a wait that may be in a deadlock. */
export function readSyncAcquire(
  options: SyncAcquireOptions | undefined,
): SyncAcquireOptions | undefined {
  // Without options V8 need not inline what reads them.
  return options === undefined ? undefined : readSyncWait(options, acquireOptions);
}

/** @internal Also asserts that the name has one form in UTF-8. `what` names it in messages. */
export function checkName(
  name: unknown,
  what: 'name' | 'namespace' = 'name',
): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`${what} must be a string, not ${show(name)}`);
  if (name === '') {
    const without = what === 'name' ? 'an anonymous object' : 'the default one';
    throw new RangeError(`${what} must not be empty; leave it out for ${without}`);
  }
  if (name.includes('\0')) throw new RangeError(`${what} must not contain NUL: ${show(name)}`);
  // A lone surrogate has no form in UTF-8. Two names with different ones would become the same.
  if (/\p{Surrogate}/u.test(name)) {
    throw new RangeError(`${what} must be well-formed: ${show(name)}`);
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > longestName) {
    throw new RangeError(`${what} must be at most ${longestName} bytes of UTF-8, not ${bytes}`);
  }
}

/** @internal Reads the options of an object whose kind has the options `known`. */
export function readOpen<T extends OpenOptions>(
  options: T,
  known: readonly string[] = openOptions,
): T {
  const read = readOptions(options, known) as OpenOptions;
  if (read.name !== undefined) checkName(read.name);
  for (const key of ['exclusive', 'mustExist', 'persistent'] as const) {
    const value: unknown = read[key];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${key} must be a boolean, not ${show(value)}`);
    }
  }
  if (read.exclusive && read.mustExist) {
    throw new TypeError('exclusive and mustExist contradict each other');
  }
  if (read.name === undefined && (read.mustExist || read.persistent)) {
    throw new TypeError('mustExist and persistent need a name: an anonymous object is always new');
  }
  return read as T;
}

/** @internal */
export function checkScope(options: { scope?: RLockScope | undefined }): void {
  const { scope } = options as { scope?: unknown };
  if (scope !== undefined && scope !== 'mixed' && scope !== 'thread' && scope !== 'async') {
    throw new TypeError(`scope must be 'mixed', 'thread' or 'async', not ${show(scope)}`);
  }
}

/** @internal A whole number in a range. */
export function checkCount(what: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number')
    throw new TypeError(`${what} must be a number, not ${show(value)}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

/** @internal A whole number that a new object needs, and that an existing one knows. */
export function checkNumber(
  what: string,
  value: unknown,
  least: number,
  most: number,
  options: OpenOptions,
): void {
  if (value !== undefined) checkCount(what, value, least, most);
  else if (options.name === undefined) {
    throw new TypeError(
      `${what} must be given, ${least} to ${most}: it has no default. ` +
        'Only an object that exists, by its name, is taken with what it has',
    );
  }
}

/** @internal For methods that block: what their callback returned must not be a promise. */
export function checkNoPromise<T>(what: string, result: T): T {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return result;
  Promise.resolve(result).catch(() => {}); // the TypeError says enough
  throw new TypeError(`${what} that returns a promise`);
}

/** @internal */
export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new TypeError(`${what} must be a function, not ${show(value)}`);
}
