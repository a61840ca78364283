// One connection to Redis, by ioredis. It is never made again by itself: its user finds out that it
// was lost, and has to verify the session on the next one before anything else.
import { now } from '../../waiting/clock.js';
import { UnsupportedEngineError } from '../errors.js';
import { Deadline } from '../in-time.js';

/** What is needed of a client of ioredis. Its own types are not on every user's machine. */
interface Client {
  readonly options: { readonly db?: unknown };
  readonly stream?: { destroy(error?: Error): void; unref(): void };
  connect(): Promise<void>;
  call(command: string, ...args: readonly unknown[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: 'close', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'message', listener: (channel: string, message: string) => void): this;
  disconnect(): void;
}
type ClientClass = new (...args: unknown[]) => Client;

/** Options of ioredis, or a URL. */
export type RedisTarget = string | Readonly<Record<string, unknown>>;

/**
 * These are not the caller's to choose. They decide what becomes of commands after a loss, and what
 * keys and answers look like.
 */
const ownOptions = {
  keyPrefix: '',
  stringNumbers: false,
  enableAutoPipelining: false,
  // Not undefined, which would leave it to the query of the URL.
  commandTimeout: null,
  // A socket that is destroyed needs no time to end.
  disconnectTimeout: 0,
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  reconnectOnError: null,
};

/** Loads ioredis, which only programs with a Redis have. */
function loadClient(): ClientClass {
  try {
    return (require('ioredis') as { Redis: ClientClass }).Redis;
  } catch (cause) {
    throw new UnsupportedEngineError('Redis needs the package ioredis: npm install ioredis', {
      cause,
    });
  }
}

export class Link {
  readonly #client: Client;
  /** How long Redis may say nothing while it owes an answer, in milliseconds. */
  #longestSilence: number;
  /** How many commands have no answer yet. */
  #unanswered = 0;
  /** When the last answer came, or when a command was sent while none was without an answer. */
  #silentSince = 0;
  #deadline: Deadline | undefined;
  #lost: ((error: Error) => void) | undefined;
  #error: Error | undefined;
  /** True from when nothing can be sent any more. */
  isLost = false;

  private constructor(client: Client, longestSilence: number) {
    this.#client = client;
    this.#longestSilence = longestSilence;
    client.on('error', (error) => (this.#error ??= error));
    client.on('close', () => this.#end());
  }

  /** Connects, and logs in as the target says. */
  static async open(
    target: RedisTarget,
    { connectTimeout, commandTimeout }: { connectTimeout: number; commandTimeout: number },
  ): Promise<Link> {
    const Redis = loadClient();
    // Of several arguments ioredis prefers the first.
    const client = new Redis({ ...ownOptions, connectTimeout }, target);
    const link = new Link(client, connectTimeout);
    const { db = 0 } = client.options;
    if (!Number.isInteger(db) || (db as number) < 0) {
      throw new RangeError('db must be the number of a database of Redis');
    }
    try {
      await link.#within(client.connect());
      // ioredis goes on in database 0 if there is none of that number.
      if (db !== 0) await link.command('SELECT', db);
      link.#deadline?.cancel();
      link.#deadline = undefined;
      link.#longestSilence = commandTimeout;
      client.stream?.unref();
      return link;
    } catch (error) {
      link.destroy();
      throw link.#error ?? error;
    }
  }

  /** Called once when the connection is lost, unless by destroy(). */
  onLost(listener: (error: Error) => void): void {
    this.#lost = listener;
    if (this.isLost) this.#end();
  }

  /** Rejects with what Redis refuses, or when the connection is lost. */
  command(name: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#within(this.#client.call(name, ...args));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.#client.on('message', (_, message) => listener(message));
    await this.#within(this.#client.subscribe(channel));
  }

  /** Ends the connection. The listener of onLost() is not called. */
  destroy(): void {
    this.#lost = undefined;
    this.#close();
  }

  #close(error?: Error): void {
    this.isLost = true;
    this.#deadline?.cancel();
    this.#error ??= error;
    this.#client.stream?.destroy();
    this.#client.disconnect();
  }

  #end(): void {
    this.isLost = true;
    const lost = this.#lost;
    this.#lost = undefined;
    lost?.(this.#error ?? new Error('the connection to Redis was closed'));
  }

  /**
   * Redis answers one command after the other. So it has time for each of them from when it has
   * answered the one before. Its silence ends the connection: a command on a cut link would never
   * settle by itself.
   */
  async #within<T>(answer: Promise<T>): Promise<T> {
    if (this.#unanswered++ === 0) this.#silentSince = now();
    if (this.#deadline === undefined) this.#expect(this.#longestSilence);
    else if (this.#unanswered === 1) this.#deadline.ref();
    try {
      return await answer;
    } catch (error) {
      throw this.isLost && this.#error !== undefined ? this.#error : error;
    } finally {
      this.#silentSince = now();
      if (--this.#unanswered === 0) this.#deadline?.unref();
    }
  }

  /** Expects an answer in so many milliseconds, if one is missing then. */
  #expect(ms: number): void {
    this.#deadline = new Deadline(ms, () => {
      this.#deadline = undefined;
      if (this.#unanswered === 0 || this.isLost) return;
      const left = this.#silentSince + this.#longestSilence - now();
      if (left > 0) return this.#expect(left);
      this.#close(new Error(`Redis did not answer within ${this.#longestSilence} ms`));
    });
  }
}
