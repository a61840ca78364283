// The errors of clusters, beside those of src/errors.ts.
import { HoldfastError, type HoldfastErrorOptions } from '../errors.js';
import { brand } from '../brand.js';

/**
 * Why a hold was lost. `'lease'`: the process did not renew in time, or may not have.
 * `'connection'`: a connection to the engine broke. `'engine'`: the engine has forgotten the
 * session, as after a restart. `'stolen'`: another request took the lock.
 */
export type LostReason = 'lease' | 'connection' | 'engine' | 'stolen';

function named(Class: Function, name: string): void {
  Class.prototype.name = name;
  brand(Class, name);
}

/**
 * What was held in a cluster, or waited for, is lost or may be lost. Others may hold it by now. Do
 * not go on with what it guarded; the fencing token keeps out what was sent already.
 */
export class LockLostError extends HoldfastError {
  static {
    named(this, 'LockLostError');
  }
  /** Why it was lost. */
  readonly reason: LostReason;

  constructor(reason: LostReason, message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_LOCK_LOST', message, options);
    this.reason = reason;
  }
}

/**
 * The engine could not be reached, or did not answer in time, or cannot write. Whether it has done
 * what it was asked is not known. What the session holds is released by the end of its lease.
 */
export class EngineUnavailableError extends HoldfastError {
  static {
    named(this, 'EngineUnavailableError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_ENGINE_UNAVAILABLE', message, options);
  }
}

/**
 * The engine answers, and cannot be used as it is: too old, a pooler in between, a wrong password,
 * missing privileges, a schema of a later version of this package, or no engine of that name.
 * Trying again does not help. Nothing was made.
 */
export class UnsupportedEngineError extends HoldfastError {
  static {
    named(this, 'UnsupportedEngineError');
  }
  constructor(message: string, options?: HoldfastErrorOptions) {
    super('ERR_HOLDFAST_UNSUPPORTED_ENGINE', message, options);
  }
}

/** The codes of Node and OpenSSL for a certificate that is not taken. */
const untrusted = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/**
 * What went wrong in an engine, as an error that is documented. What is one already, or is about a
 * wrong argument, stays as it is. `hint` says why trying again does not help; undefined if it may.
 */
export function engineErrorOf(cause: unknown, engine: string, hint?: string): Error {
  if (cause instanceof HoldfastError || cause instanceof RangeError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const what = `${engine}: ${message}`;
  const { code } = Object(cause) as { code?: unknown };
  if (hint === undefined && typeof code === 'string' && untrusted.test(code)) {
    hint = 'its certificate is not trusted: see TLS in the page of clusters';
  }
  if (hint === undefined) return new EngineUnavailableError(what, { cause });
  return new UnsupportedEngineError(hint === '' ? what : `${what} (${hint})`, { cause });
}
