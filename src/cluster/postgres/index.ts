// holdfast/postgres: a cluster whose engine is PostgreSQL.
import { show } from '../../options.js';
import type { Cluster } from '../cluster.js';
import { type ClusterOptions, readClusterOptions, readLiveness } from '../options.js';
import { connectTo } from '../remote.js';
import type { PostgresConfig } from './driver.js';
import { PostgresEngine } from './engine.js';

export type * from '../cluster.js';
export * from '../errors.js';
export type { ClusterOptions } from '../options.js';
export type { PostgresConfig } from './driver.js';
export { schemaSql } from './schema.js';

/** How to connect to PostgreSQL. */
export interface PostgresOptions extends ClusterOptions {
  /**
   * `'connection'` (the default): what a session holds is released as soon as the server has
   * noticed the end of its connection, as at a SIGKILL, and in any case when its lease has run out.
   * `'lease'`: only when its lease has run out.
   */
  liveness?: 'connection' | 'lease' | undefined;
}

/**
 * Connects to PostgreSQL 12 or later by the package `pg`, which your program installs. Takes a URL,
 * or an object as `new Client()` of `pg` takes it. Makes the schema `holdfast` in the database if
 * it is not there. Opens three connections. Does not block the event loop.
 *
 * Rejects with EngineUnavailableError if the server is not reached within `connectTimeout`;
 * UnsupportedEngineError if it cannot be used: a wrong password, a pooler in between, missing
 * privileges, a standby, a schema of a later version, no `pg`; TypeError and RangeError.
 */
export async function connect(
  urlOrConfig: string | PostgresConfig,
  options: PostgresOptions = {},
): Promise<Cluster> {
  const config = readConfig(urlOrConfig);
  const read = readClusterOptions(options, ['liveness']);
  const liveness = readLiveness(read.liveness);
  return connectTo(new PostgresEngine({ ...read, config, liveness }), read);
}

function readConfig(given: unknown): PostgresConfig {
  if (typeof given === 'string') return { connectionString: given };
  if (typeof given === 'object' && given !== null) return { ...given };
  throw new TypeError(`PostgreSQL needs a URL or the config of a client, not ${show(given)}`);
}
