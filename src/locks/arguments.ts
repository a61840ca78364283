// The arguments of LockManager.request(), read as the Web Locks API and WebIDL say: each option
// once, in the order of the alphabet, and all conversions before any rule of the standard is
// applied. One thing differs: what was added to Object.prototype is no option.
import { checkTimeout, isAbortSignal, readOption } from '../options.js';
import type { LockMode, WebLock } from './lock.js';

/** What LockManager.request() can be asked for. */
export interface LockOptions {
  /** `'exclusive'` (the default): nobody else has the lock. `'shared'`: others may share it. */
  mode?: LockMode | undefined;
  /** If true: if the lock is not to be had at once, the callback gets null. False by default. */
  ifAvailable?: boolean | undefined;
  /**
   * If true: takes the lock from all who hold it. Their promises reject with an AbortError, and
   * their callbacks run on. False by default. Only for `'exclusive'`.
   */
  steal?: boolean | undefined;
  /** Its abort ends the wait, and the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * Not in the standard. Milliseconds, 0 to 2147483647, after which the wait ends and the promise
   * rejects with TimeoutError. Without it the wait has no limit.
   */
  timeout?: number | undefined;
  /** Not in the standard. As AcquireOptions has it. */
  deadlock?: boolean | undefined;
}

/** What runs while the lock is held. It gets null if `ifAvailable` found the lock taken. */
export type LockCallback<T> = (lock: WebLock | null) => T | PromiseLike<T>;

export interface ReadRequest {
  readonly name: string;
  readonly mode: LockMode;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number | undefined;
  readonly deadlock: boolean;
  readonly callback: LockCallback<unknown>;
}

/**
 * @throws what the promise of request() is to reject with.
 * @param isSync of requestSync(), which takes no signal.
 */
export function readRequest(args: readonly unknown[], isSync: boolean): ReadRequest {
  if (args.length < 2) {
    throw new TypeError(`request() takes a name and a callback, not ${args.length} arguments`);
  }
  const name = toText(args[0], 'name');
  const options = readLockOptions(args.length > 2 ? args[1] : undefined);
  const callback = args[args.length > 2 ? 2 : 1];
  if (typeof callback !== 'function') throw new TypeError('callback must be a function');
  checkRules(name, options, isSync);
  const { mode, ifAvailable, steal, signal, timeout, deadlock } = options;
  return {
    name,
    mode,
    ifAvailable,
    steal,
    signal,
    timeout,
    deadlock,
    callback: callback as LockCallback<unknown>,
  };
}

type ReadOptions = Omit<ReadRequest, 'name' | 'callback'>;

function readLockOptions(value: unknown): ReadOptions {
  if (value !== undefined && value !== null && !isObject(value)) {
    throw new TypeError('options must be an object');
  }
  const options = value ?? {};
  const deadlock = readOption(options, 'deadlock');
  const ifAvailable = Boolean(readOption(options, 'ifAvailable'));
  const mode = toMode(readOption(options, 'mode'));
  const signal = readOption(options, 'signal');
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TypeError('signal must be an AbortSignal');
  }
  const steal = Boolean(readOption(options, 'steal'));
  const timeout = readOption(options, 'timeout');
  checkTimeout(timeout);
  const isSearched = deadlock === undefined || Boolean(deadlock);
  return { deadlock: isSearched, ifAvailable, mode, signal, steal, timeout };
}

function toMode(value: unknown): LockMode {
  const mode = value === undefined ? 'exclusive' : toText(value, 'mode');
  if (mode !== 'exclusive' && mode !== 'shared') {
    throw new TypeError(`mode must be 'exclusive' or 'shared', not ${JSON.stringify(mode)}`);
  }
  return mode;
}

/** A DOMString: any string of JavaScript, well-formed or not. */
export function toText(value: unknown, what: string): string {
  if (typeof value === 'symbol') throw new TypeError(`${what} must not be a symbol`);
  return String(value);
}

function checkRules(
  name: string,
  { ifAvailable, mode, signal, steal, timeout }: ReadOptions,
  isSync: boolean,
): void {
  if (isSync && signal !== undefined) {
    throw new TypeError('a synchronous wait cannot be aborted: no signal could reach it');
  }
  if (name.startsWith('-')) throw notSupported('a name must not start with "-"');
  if (steal && ifAvailable) throw notSupported('steal and ifAvailable exclude each other');
  if (steal && mode !== 'exclusive') throw notSupported("only mode 'exclusive' can steal");
  if (signal !== undefined && (steal || ifAvailable)) {
    throw notSupported('signal goes neither with steal nor with ifAvailable: they never wait');
  }
  if (timeout !== undefined && (steal || ifAvailable)) {
    throw notSupported('timeout goes neither with steal nor with ifAvailable: they never wait');
  }
  signal?.throwIfAborted();
}

function notSupported(message: string): DOMException {
  return new DOMException(message, 'NotSupportedError');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' || typeof value === 'function';
}
