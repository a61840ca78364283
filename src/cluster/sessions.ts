// The session of a cluster: the one that lives, or a new one when that is lost.
import { ClosedError, label } from '../errors.js';
import { type Timer, clearInterval, setInterval } from '../waiting/clock.js';
import type { Engine } from './engine.js';
import type { ReadClusterOptions } from './options.js';
import { type Dependent, Session } from './session.js';

/** Sockets and timers of an engine do not keep the process alive. What waits in here does. */
const longest_ms = 2 ** 31 - 1;

export class Sessions {
  readonly #engine: Engine;
  readonly #options: ReadClusterOptions;
  #current: Promise<Session> | undefined;
  #closing: Promise<void> | undefined;
  #waits = 0;
  #keepAlive: Timer | undefined;
  /** Ends what waits when the cluster is closed. */
  readonly #waiting = new Set<(error: ClosedError) => void>();

  constructor(engine: Engine, options: ReadClusterOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** The session. Rejects as Engine.open(), and with ClosedError. */
  get(): Promise<Session> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    this.#current ??= this.#open();
    return this.#current;
  }

  /** Runs a command in the session. The process stays alive meanwhile. */
  run<T>(command: (session: Session) => Promise<T>): Promise<T> {
    return this.wait(async (opened) => {
      const session = await opened;
      try {
        return await command(session);
      } catch (error) {
        throw session.lostError ?? error;
      }
    });
  }

  /** Waits for something of the session, until the cluster is closed. */
  async wait<T>(start: (opened: Promise<Session>) => Promise<T>): Promise<T> {
    let onClose: ((error: ClosedError) => void) | undefined;
    const ended = new Promise<T>((resolve, reject) => {
      onClose = reject;
      this.#waiting.add(reject);
      start(this.get()).then(resolve, reject);
    });
    this.#keepAlive ??= setInterval(() => {}, longest_ms);
    if (this.#waits++ === 0) this.#keepAlive.ref();
    try {
      return await ended;
    } finally {
      this.#waiting.delete(onClose!);
      if (--this.#waits === 0) this.#keepAlive.unref();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const current = this.#current;
    for (const end of this.#waiting) end(this.#closedError());
    const session = await current?.catch(() => {});
    await session?.close();
    clearInterval(this.#keepAlive);
  }

  #open(): Promise<Session> {
    const opened = Session.open(this.#engine, this.#options);
    const drop = (): void => {
      if (this.#current === opened) this.#current = undefined;
    };
    opened.then((session) => session.tell({ lost: drop } satisfies Dependent), drop);
    return opened;
  }

  #closedError(): ClosedError {
    const { namespace } = this.#options;
    return new ClosedError(`${label(`${this.#engine.name} namespace`, namespace)}: closed`, {
      objectName: namespace,
    });
  }
}
