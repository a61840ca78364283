// holdfast/redis: the interface of a cluster over Redis or Valkey.
import { checkCount } from '../../options.js';
import type { Cluster } from '../cluster.js';
import { type ClusterOptions, readClusterOptions, readLiveness } from '../options.js';
import { connectTo } from '../remote.js';
import { RedisEngine } from './engine.js';

export type * from '../cluster.js';
export * from '../errors.js';
export type { ClusterOptions } from '../options.js';

/** How to use Redis, beside the options of every engine. */
export interface RedisClusterOptions extends ClusterOptions {
  /**
   * When others may have what a process held. `'connection'` (the default): as soon as its
   * connection for messages has ended, which is within a second of its death. `'lease'`: when its
   * lease has run out.
   */
  liveness?: 'connection' | 'lease' | undefined;
  /**
   * How many replicas must have confirmed a grant, or a job that was put, before it counts: 0 to
   * 100, 0 by default. If they do not within half of `commandTimeout`, the promise rejects with
   * EngineUnavailableError. After a failover two holders are possible all the same, but fewer.
   */
  replicas?: number | undefined;
}

/** How to reach Redis: the options of the package ioredis, such as host, port, password, tls. */
export type RedisConfig = Readonly<Record<string, unknown>>;

const mostReplicas = 100;

/**
 * Connects to Redis 6.2 or later, or Valkey, by the package `ioredis`, which the program has to
 * have. `target` is a URL (`redis:`, with TLS `rediss:`), or options of ioredis. Does not block the
 * event loop.
 *
 * The process has three connections whatever it holds and waits for. If one of them breaks, its
 * session is lost.
 *
 * Rejects with EngineUnavailableError if Redis is not reached within `connectTimeout`;
 * UnsupportedEngineError for a wrong password, missing privileges, an old version, Redis Cluster, a
 * replica, a policy that evicts all keys, or a namespace of a later version of this package;
 * TypeError and RangeError for wrong arguments.
 */
export async function connect(
  target: string | RedisConfig,
  options: RedisClusterOptions = {},
): Promise<Cluster> {
  const readable = typeof target === 'string' ? readUrl(target) : readConfig(target);
  const read = readClusterOptions(options, ['liveness', 'replicas']);
  const liveness = readLiveness(read.liveness);
  const { replicas = 0 } = read;
  checkCount('replicas', replicas, 0, mostReplicas);
  const plan = { ...read, target: readable, liveness, replicas: replicas as number };
  return connectTo(new RedisEngine(plan), read);
}

/** As ioredis reads it: with the scheme in small letters, because only such a one means TLS. */
function readUrl(text: string): string {
  try {
    const url = new URL(text);
    for (const part of [url.username, url.password]) decodeURIComponent(part);
    if (/^rediss?:\/\//.test(url.href)) return url.href;
  } catch {
    // The reason has the URL in it, and that may have a password.
  }
  throw new TypeError("the URL must be as 'redis://user:password@host:6379/0', or 'rediss:'");
}

function readConfig(config: unknown): RedisConfig {
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
    return { ...config };
  }
  throw new TypeError("the first argument must be a URL of 'redis:' or 'rediss:', or an object");
}
