// connect() of the main entry: picks the engine by the URL's scheme.
import { readOptions } from '../options.js';
import type { Cluster } from './cluster.js';
import { UnsupportedEngineError } from './errors.js';
import { type ClusterOptions, clusterOptions } from './options.js';

/** How to connect, for programs that leave the engine to a URL: the options of all engines. */
export interface ConnectOptions extends ClusterOptions {
  /**
   * Only for PostgreSQL and Redis, others ignore it. `'connection'` (the default): the locks of a
   * process are released as soon as its connection breaks. `'lease'`: when its lease has run out.
   */
  liveness?: 'connection' | 'lease' | undefined;
  /**
   * Only for Redis, others ignore it: how many replicas must have a grant before it counts, 0 to
   * 100, 0 by default.
   */
  replicas?: number | undefined;
}

interface EngineModule {
  connect(url: string, options: object): Promise<Cluster>;
}

interface Known {
  /** By require(), because Jest has no import() inside CommonJS. */
  readonly load: () => EngineModule;
  /** The options that only this engine has. */
  readonly own: readonly (keyof ConnectOptions)[];
}

const local: Known = { load: () => require('./local/index.js') as EngineModule, own: [] };

const postgres: Known = {
  load: () => require('./postgres/index.js') as EngineModule,
  own: ['liveness'],
};
const redis: Known = {
  load: () => require('./redis/index.js') as EngineModule,
  own: ['liveness', 'replicas'],
};
const etcd: Known = { load: () => require('./etcd/index.js') as EngineModule, own: [] };

const engines: Readonly<Record<string, Known>> = {
  'local:': local,
  'postgres:': postgres,
  'postgresql:': postgres,
  'redis:': redis,
  'rediss:': redis,
  'etcd:': etcd,
  'etcds:': etcd,
};

const allOptions = [...clusterOptions, 'liveness', 'replicas'] as const;

/**
 * Connects to an engine that keeps locks, semaphores and job queues: to shared memory by `local:`
 * (the default), to PostgreSQL by `postgres:` or `postgresql:`, to Redis by `redis:` or `rediss:`,
 * to etcd by `etcd:` or `etcds:`. So one environment variable moves a program from a laptop to a
 * cluster. Does not block the event loop.
 *
 * Rejects with EngineUnavailableError if the engine is not reached within `connectTimeout`;
 * UnsupportedEngineError if it cannot be used, or if there is no engine for the scheme of the URL;
 * TypeError and RangeError for wrong options. Never tries another engine.
 */
export async function connect(url = 'local:', options: ConnectOptions = {}): Promise<Cluster> {
  if (typeof url !== 'string') throw new TypeError(`url must be a string, not ${typeof url}`);
  const read = readOptions(options, allOptions);
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase() ?? '';
  const known = Object.hasOwn(engines, scheme) ? engines[scheme] : undefined;
  if (known === undefined) {
    const schemes = Object.keys(engines).join(', ');
    // The rest of the URL may have a password in it.
    throw new UnsupportedEngineError(
      `there is no engine for a URL that begins with ${JSON.stringify(scheme)}; there are ${schemes}`,
    );
  }
  const { connect: open } = known.load();
  const taken = [...clusterOptions, ...known.own].map((key) => [key, read[key]]);
  return open(url, Object.fromEntries(taken));
}
