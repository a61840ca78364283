// What etcd refuses, as the errors of this package.
import { HoldfastError } from '../../errors.js';
import { EngineUnavailableError, UnsupportedEngineError } from '../errors.js';
import { GatewayError, status } from './gateway.js';

const lasting: readonly number[] = [status.invalid, status.permission, status.unauthenticated];

/** The error to reject with, for one of a connection or of etcd. */
export function engineError(cause: unknown): Error {
  if (cause instanceof HoldfastError || cause instanceof RangeError) return cause;
  const { message } = cause as Error;
  if (cause instanceof GatewayError && lasting.includes(cause.status)) {
    return new UnsupportedEngineError(`etcd: ${message}`, { cause });
  }
  return new EngineUnavailableError(`etcd: ${message}`, { cause });
}
