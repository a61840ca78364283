// Checks of what callers pass in. Everything here throws before anything is touched.

/** How long to wait, for the forms that return a promise. */
export interface WaitOptions {
  /** Milliseconds, 0 to 2147483647; 0 tries once. Without it the wait has no limit. */
  timeout?: number | undefined;
  /** Ends the wait; the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** How long to wait, for the forms that block the thread. */
export interface SyncWaitOptions {
  /** Milliseconds, 0 to 2147483647; 0 tries once. Without it the wait has no limit. */
  timeout?: number | undefined;
}

/** How to open an object. */
export interface OpenOptions {
  /**
   * 1 to 255 bytes of UTF-8 without NUL. The same name is the same object in every process of the
   * user. Without it the object is anonymous: others reach it through its handle (`toJSON()`).
   */
  name?: string | undefined;
  /** Fail with ExistsError if the name exists. */
  exclusive?: boolean | undefined;
  /** Fail with NotFoundError if the name does not exist. */
  mustExist?: boolean | undefined;
  /** Keep the object when its last user is gone, until unlink(). */
  persistent?: boolean | undefined;
}

/** Who holds an RLock: the JS thread, or the async task. */
export type RLockScope = 'thread' | 'async';

/** How to open an RLock. */
export interface RLockOptions extends OpenOptions {
  /**
   * Who holds it, and so may acquire it again: the JS thread (the default), or the async task. All
   * handles of one thread must have the same; other threads and processes may have another, and it makes
   * no difference to them.
   */
  scope?: RLockScope | undefined;
}

/** Node's own longest timer. */
const longestTimeout = 2 ** 31 - 1;

export const longestName = 255;

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
  return String(value);
}

function checkObject(options: unknown): asserts options is Record<string, unknown> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`options must be an object, not ${show(options)}`);
  }
}

function checkTimeout(timeout: unknown): void {
  if (timeout === undefined) return;
  if (typeof timeout !== 'number') {
    throw new TypeError(`timeout must be a number of milliseconds, not ${show(timeout)}`);
  }
  if (!(timeout >= 0 && timeout <= longestTimeout)) {
    throw new RangeError(
      `timeout must be 0 to ${longestTimeout} milliseconds, not ${timeout}; leave it out to wait without a limit`,
    );
  }
}

export function checkWait(options: WaitOptions): void {
  checkObject(options);
  checkTimeout(options.timeout);
  const signal: unknown = options.signal;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`signal must be an AbortSignal, not ${show(signal)}`);
  }
}

export function checkSyncWait(options: SyncWaitOptions): void {
  checkObject(options);
  checkTimeout(options.timeout);
  if ((options as WaitOptions).signal !== undefined) {
    throw new TypeError('a synchronous wait cannot be aborted: no signal could reach it');
  }
}

export function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${show(name)}`);
  if (name === '')
    throw new RangeError('name must not be empty; leave it out for an anonymous object');
  if (name.includes('\0')) throw new RangeError(`name must not contain NUL: ${show(name)}`);
  // A lone surrogate has no UTF-8 form; two such names would become one.
  if (/\p{Surrogate}/u.test(name)) throw new RangeError(`name must be well-formed: ${show(name)}`);
  const bytes = Buffer.byteLength(name);
  if (bytes > longestName) {
    throw new RangeError(`name must be at most ${longestName} bytes of UTF-8, not ${bytes}`);
  }
}

export function checkOpen(options: OpenOptions): void {
  checkObject(options);
  if (options.name !== undefined) checkName(options.name);
  for (const key of ['exclusive', 'mustExist', 'persistent'] as const) {
    const value: unknown = options[key];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`${key} must be a boolean, not ${show(value)}`);
    }
  }
  if (options.exclusive && options.mustExist) {
    throw new TypeError('exclusive and mustExist contradict each other');
  }
  if (options.name === undefined && (options.mustExist || options.persistent)) {
    throw new TypeError('mustExist and persistent need a name: an anonymous object is always new');
  }
}

export function checkScope(options: { scope?: RLockScope | undefined }): void {
  // What is no object is refused with the other options.
  const scope: unknown = (options as typeof options | null)?.scope;
  if (scope !== undefined && scope !== 'thread' && scope !== 'async') {
    throw new TypeError(`scope must be 'thread' or 'async', not ${show(scope)}`);
  }
}

export function checkCount(what: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number')
    throw new TypeError(`${what} must be a number, not ${show(value)}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

/** What a new object needs, and an old one has. */
export function checkNumber(
  what: string,
  value: unknown,
  least: number,
  most: number,
  options: OpenOptions,
): void {
  if (value !== undefined) checkCount(what, value, least, most);
  else if (Object(options).name === undefined) {
    throw new TypeError(`${what} must be given: only what exists already, by its name, has it`);
  }
}

/** For the forms that block: what a callback of theirs returned must not be a promise. */
export function checkNoPromise<T>(what: string, result: T): T {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return result;
  Promise.resolve(result).catch(() => {}); // the caller is told of its mistake already
  throw new TypeError(`${what} that returns a promise`);
}

export function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new TypeError(`${what} must be a function, not ${show(value)}`);
}
