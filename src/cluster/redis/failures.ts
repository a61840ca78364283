// What Redis refuses, as the errors of this package.
import { checkVersion } from '../checks.js';
import { UnsupportedEngineError, engineErrorOf } from '../errors.js';

/** The first word of a refusal that trying again does not change. */
const lasting =
  /^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid password|AUTH|DB index|unknown command|The user))/;

/** True if Redis had the script once, and was told to forget it. */
export function isForgottenScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** The error to reject with, for one of ioredis or of Redis. */
export function engineError(cause: unknown): Error {
  const isLasting = cause instanceof Error && lasting.test(cause.message);
  return engineErrorOf(cause, 'Redis', isLasting ? '' : undefined);
}

const leastVersion = [6, 2] as const;

/**
 * Checks what INFO says.
 *
 * @throws UnsupportedEngineError
 */
export function checkServer(info: string): void {
  const facts = new Map(
    info.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  checkVersion('Redis', facts.get('redis_version') ?? '0.0', leastVersion);
  if (facts.get('redis_mode') === 'cluster') {
    throw unsupported('Redis Cluster is not supported: connect to a server of its own');
  }
  if (facts.get('role') !== 'master') {
    throw unsupported('this Redis is a replica and takes no writes: connect to its primary');
  }
  const policy = facts.get('maxmemory_policy') ?? '';
  if (facts.get('maxmemory') !== '0' && policy.startsWith('allkeys')) {
    throw unsupported(
      `maxmemory-policy ${policy} lets Redis throw locks away: set it to noeviction`,
    );
  }
}

function unsupported(message: string): UnsupportedEngineError {
  return new UnsupportedEngineError(message);
}
