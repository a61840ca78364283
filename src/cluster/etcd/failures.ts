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

const leastVersion = [3, 4];

/** @throws UnsupportedEngineError */
export function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > leastVersion[0]! || (major === leastVersion[0] && minor >= leastVersion[1]!)) return;
  throw new UnsupportedEngineError(
    `etcd ${version} is too old: it must be ${leastVersion.join('.')} or later`,
  );
}
