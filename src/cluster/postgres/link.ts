// One connection to PostgreSQL. Every command has a deadline of its own, because a command on a
// connection that was cut never settles by itself. A command that is late cuts the connection.
import { EngineUnavailableError, UnsupportedEngineError } from '../errors.js';
import { inTime } from '../in-time.js';
import type { Client, Query, Row } from './driver.js';
import { engineError } from './failures.js';

export interface Deadlines {
  readonly connectTimeout: number;
  readonly commandTimeout: number;
  readonly ttl: number;
}

/** The parameters of our functions that need another type than the driver would choose. */
const casts: Readonly<Record<string, string>> = { kind: '::"char"' };

/** How a function of the schema is called: the names of its parameters are for `casts`. */
export interface Call {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly isSet?: boolean;
}

/** The oldest version with everything that is used. */
const oldestVersion = 120_000;

export class Link {
  readonly #client: Client;
  readonly #deadlines: Deadlines;
  #isOver = false;
  /** Settles when the last command that was given has settled. */
  #last: Promise<unknown> = Promise.resolve();
  /** Called once, when the connection is lost. Not after destroy() and end(). */
  onLost: (cause: unknown) => void = () => {};

  constructor(client: Client, deadlines: Deadlines) {
    this.#client = client;
    this.#deadlines = deadlines;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new EngineUnavailableError('the connection was closed')));
  }

  async connect(): Promise<void> {
    await this.#client.connect();
    this.#client.unref();
    const { rows } = await this.#client.query(
      `select current_setting('server_version_num')::integer as version,
        pg_backend_pid() as pid, pg_is_in_recovery() as standby`,
    );
    const { version, pid, standby } = rows[0]!;
    if ((version as number) < oldestVersion) {
      throw new UnsupportedEngineError(`PostgreSQL ${String(version)} is older than 12`);
    }
    if (pid !== this.#client.processID) {
      throw new UnsupportedEngineError(
        'a pooler is between this process and PostgreSQL: sessions need connections of their own; ' +
          'connect to the server itself',
      );
    }
    if (standby)
      throw new UnsupportedEngineError('the server is a standby: connect to the primary');
    await this.#configure();
  }

  /**
   * What the server, the database or the user may have set otherwise. A server that cuts a silent
   * connection before the lease ends would grant to others before this process knows.
   */
  async #configure(): Promise<void> {
    const { ttl, commandTimeout } = this.#deadlines;
    const settings: Record<string, string | number> = {
      application_name: 'holdfast',
      default_transaction_isolation: 'read committed',
      default_transaction_read_only: 'off',
      statement_timeout: commandTimeout,
      lock_timeout: 0,
      tcp_keepalives_idle: Math.ceil(ttl / 1000),
      tcp_keepalives_interval: Math.ceil(ttl / 4000),
      tcp_keepalives_count: 4,
      tcp_user_timeout: 2 * ttl,
    };
    const names = Object.keys(settings);
    await this.#client.query({
      text: `select set_config(name, value, false)
        from unnest($1::text[], $2::text[]) as one(name, value)`,
      values: [names, names.map((name) => String(settings[name]))],
    });
  }

  /** Calls a function of the schema. Its rows. */
  async call({ name, parameters, isSet }: Call, values: readonly unknown[]): Promise<Row[]> {
    const places = parameters.map((parameter, i) => `$${i + 1}${casts[parameter] ?? ''}`);
    const call = `holdfast.${name}(${places.join(', ')})`;
    const text = isSet ? `select * from ${call}` : `select ${call} as result`;
    return this.#send({ name: `holdfast.${name}`, text, values });
  }

  /** Runs a text of our own. */
  run(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return this.#send(values ? { text, values } : text);
  }

  /** One command after the other. The time of each begins when it is sent. */
  #send(query: Query | string): Promise<Row[]> {
    const answered = this.#last.then(() => this.#inTime(() => this.#client.query(query)));
    this.#last = answered.catch(() => {});
    return answered;
  }

  onMessage(hear: (message: string) => void): void {
    this.#client.on('notification', ({ payload }) => hear(payload ?? ''));
  }

  /** Closes it as the protocol has it. Never rejects. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#client.end().catch(() => {});
  }

  destroy(): void {
    this.#isOver = true;
    this.#client.connection.stream.destroy();
  }

  async #inTime(start: () => Promise<{ rows: Row[] }>): Promise<Row[]> {
    if (this.#isOver) throw new EngineUnavailableError('the connection is closed');
    const { commandTimeout } = this.#deadlines;
    const late = (): Error => {
      const error = new EngineUnavailableError(`no answer in ${commandTimeout} ms`);
      this.#lose(error);
      return error;
    };
    try {
      const { rows } = await inTime(start(), commandTimeout, late);
      return rows;
    } catch (error) {
      throw engineError(error);
    }
  }

  #lose(cause: unknown): void {
    if (this.#isOver) return;
    this.destroy();
    this.onLost(cause);
  }
}
