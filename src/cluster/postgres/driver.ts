// As much of `pg` as is used here. It is an optional peer: who uses PostgreSQL installs it. The
// types are our own, so that a program without `@types/pg` compiles.
import { UnsupportedEngineError, engineErrorOf } from '../errors.js';

/** What `new Client()` of `pg` takes: `connectionString`, `host`, `ssl` and more. */
export type PostgresConfig = Readonly<Record<string, unknown>>;

export type Row = Record<string, unknown>;

export interface Query {
  /** Of a prepared statement. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Client {
  /** The process id that the server gave when the connection began. */
  readonly processID: number | null;
  connect(): Promise<unknown>;
  query(query: Query | string): Promise<{ rows: Row[] }>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { payload?: string }) => void): unknown;
  unref(): void;
  readonly connection: { readonly stream: { destroy(): void } };
}

/**
 * @throws UnsupportedEngineError if `pg` is not installed, or cannot read a file that the config
 * names; TypeError if it cannot read the URL.
 */
export function newClient(config: PostgresConfig): Client {
  let pg: { Client: new (config: PostgresConfig) => Client };
  try {
    pg = require('pg') as typeof pg;
  } catch (cause) {
    throw new UnsupportedEngineError('PostgreSQL needs the package pg: npm install pg', { cause });
  }
  try {
    return new pg.Client(config);
  } catch (cause) {
    if (cause instanceof URIError) throw new TypeError('the URL is not valid');
    throw cause instanceof TypeError ? cause : engineErrorOf(cause, 'PostgreSQL', '');
  }
}
