// The options of connect(), and their checks.
import { checkCount, checkName, readOptions, show } from '../options.js';

/** How to connect, on every engine. */
export interface ClusterOptions {
  /**
   * Clusters of one namespace have the same locks, semaphores and queues. 1 to 200 bytes of UTF-8
   * without NUL; `'default'` is the default.
   */
  namespace?: string | undefined;
  /**
   * How long the lease of the session is, in milliseconds: 500 to 3600000, 15000 by default. After
   * so long without a renewal the engine gives what the session held to others.
   */
  ttl?: number | undefined;
  /**
   * How long to wait for a connection, in milliseconds: 1 to 3600000, 5000 by default. Then
   * EngineUnavailableError.
   */
  connectTimeout?: number | undefined;
  /**
   * How long the engine may take for a command, in milliseconds: 1 to 3600000, 5000 by default. The
   * commands of a process go one after the other, and each has that time when it is its turn. Then
   * the connection is cut, and with it the session ends; on etcd the session goes on.
   */
  commandTimeout?: number | undefined;
}

/** The same with everything filled in. */
export type ReadClusterOptions = {
  readonly [K in keyof ClusterOptions]-?: NonNullable<ClusterOptions[K]>;
};

export const clusterOptions = ['namespace', 'ttl', 'connectTimeout', 'commandTimeout'] as const;

const longestNamespace = 200;
const longest_ms = 3_600_000;

/**
 * Reads the options of connect(): those of every engine, and `more` of one engine, which that one
 * checks itself.
 *
 * @throws TypeError, RangeError.
 */
export function readClusterOptions<K extends string = never>(
  options: unknown,
  more: readonly K[] = [],
): ReadClusterOptions & Record<K, unknown> {
  const read = readOptions(options ?? {}, [...clusterOptions, ...more]);
  const { namespace = 'default', ttl = 15_000 } = read;
  const { connectTimeout = 5000, commandTimeout = 5000 } = read;
  checkName(namespace, 'namespace');
  if (Buffer.byteLength(namespace) > longestNamespace) {
    throw new RangeError(`namespace must be at most ${longestNamespace} bytes of UTF-8`);
  }
  checkCount('ttl', ttl, 500, longest_ms);
  checkCount('connectTimeout', connectTimeout, 1, longest_ms);
  checkCount('commandTimeout', commandTimeout, 1, longest_ms);
  return { ...read, namespace, ttl, connectTimeout, commandTimeout } as ReadClusterOptions &
    Record<K, unknown>;
}

/** What ends a session beside its lease: the end of its connection, or nothing. */
export type Liveness = 'connection' | 'lease';

/** The option `liveness` of the engines that have it. @throws TypeError */
export function readLiveness(value: unknown = 'connection'): Liveness {
  if (value === 'connection' || value === 'lease') return value;
  throw new TypeError(`liveness must be 'connection' or 'lease', not ${show(value)}`);
}
