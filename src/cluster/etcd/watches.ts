// All watches of a session, on one connection. When the connection is lost, they begin again where
// they were, so that nothing is missed.
import { setTimeout } from '../../waiting/clock.js';
import { retry_ms } from './again.js';
import { type Gateway, endOfPrefix, toBase64 } from './gateway.js';
import type { Pair } from './keys.js';
import type { StreamListener, WebSocket } from './websocket.js';

const path = '/v3/watch';

export interface WatchEvent {
  /** PUT is left out in JSON. */
  readonly type?: 'DELETE';
  readonly kv: Pair;
}

/** What to watch. */
export interface Watched {
  readonly key: string;
  /** Then all keys that begin so. */
  readonly isPrefix?: boolean;
  /** Then only deletions are told. */
  readonly onlyDeletions?: boolean;
  /** The revision at which the state was read: what came after it is told. */
  readonly after: string;
  /** Also called without an event: then something may have been missed. */
  onEvents(events: readonly WatchEvent[]): void;
}

interface Message {
  readonly result?: {
    readonly header: { readonly revision: string };
    readonly watch_id?: string;
    readonly canceled?: boolean;
    /** Then the history since then is gone. */
    readonly compact_revision?: string;
    readonly events?: readonly WatchEvent[];
  };
}

export class Watches {
  readonly #gateway: Gateway;
  readonly #watched = new Map<number, { watched: Watched; after: bigint }>();
  #ids = 0;
  #stream: Stream | undefined;
  #isClosed = false;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Opens the connection. */
  async open(): Promise<void> {
    const listener: StreamListener = {
      message: (text) => this.#hear(JSON.parse(text) as Message),
      ended: () => this.#openLater(),
    };
    const stream = this.#gateway.hasUser
      ? new BodyStream(this.#gateway, () => this.#requests(), listener)
      : new SocketStream(await this.#gateway.openStream(path, listener));
    if (this.#isClosed) {
      stream.destroy();
      return;
    }
    this.#stream = stream;
    for (const request of this.#requests()) stream.create(request);
  }

  /** Returns its number, for remove(). */
  add(watched: Watched): number {
    const id = ++this.#ids;
    this.#watched.set(id, { watched, after: BigInt(watched.after) });
    this.#stream?.create(this.#request(id));
    return id;
  }

  remove(id: number): void {
    if (this.#watched.delete(id)) this.#stream?.cancel(id);
  }

  close(): void {
    this.#isClosed = true;
    this.#watched.clear();
    this.#stream?.destroy();
  }

  #requests(): string[] {
    return [...this.#watched.keys()].map((id) => this.#request(id));
  }

  #request(id: number): string {
    const { watched, after } = this.#watched.get(id)!;
    const { key, isPrefix, onlyDeletions } = watched;
    const request = {
      key: toBase64(key),
      ...(isPrefix && { range_end: endOfPrefix(key) }),
      ...(onlyDeletions && { filters: ['NOPUT'] }),
      start_revision: String(after + 1n),
      watch_id: id,
    };
    return JSON.stringify({ create_request: request });
  }

  #hear({ result }: Message): void {
    if (result?.canceled && result.compact_revision === undefined) this.#cancelled(result.watch_id);
    const entry = this.#watched.get(Number(result?.watch_id));
    if (result === undefined || entry === undefined) return;
    const { watched } = entry;
    if (result.canceled && result.compact_revision !== undefined) {
      // From now on is as good, after a new look.
      entry.after = BigInt(result.header.revision);
      this.#stream?.create(this.#request(Number(result.watch_id)));
      watched.onEvents([]);
    } else if (result.events !== undefined) {
      entry.after = BigInt(result.events.at(-1)!.kv.mod_revision);
      watched.onEvents(result.events);
    }
  }

  /** By remove(), or because etcd refuses it: then it is tried again, with a new token. */
  #cancelled(id: string | undefined): void {
    const isRefused = Number(id ?? -1) < 0 || this.#watched.has(Number(id));
    if (!isRefused) return;
    this.#stream?.destroy();
    this.#openLater();
  }

  #openLater(): void {
    this.#stream = undefined;
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      if (this.#isClosed) return;
      this.#openAgain().catch(() => this.#openLater());
    }, retry_ms);
    timer.unref();
  }

  async #openAgain(): Promise<void> {
    await this.#gateway.authenticate();
    await this.open();
  }
}

/** What carries the watches. */
interface Stream {
  create(request: string): void;
  cancel(id: number): void;
  destroy(): void;
}

/** Tells etcd of each watch as it comes. */
class SocketStream implements Stream {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  create(request: string): void {
    this.#socket.send(request);
  }

  cancel(id: number): void {
    this.#socket.send(JSON.stringify({ cancel_request: { watch_id: id } }));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Has to name all watches when it begins, so it begins again with each new one. */
class BodyStream implements Stream {
  readonly #gateway: Gateway;
  readonly #requests: () => string[];
  readonly #listener: StreamListener;
  #stream: { destroy(): void } | undefined;
  #isDue = false;
  #isDestroyed = false;

  constructor(gateway: Gateway, requests: () => string[], listener: StreamListener) {
    this.#gateway = gateway;
    this.#requests = requests;
    this.#listener = listener;
  }

  create(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(() => {
      this.#isDue = false;
      this.#stream?.destroy();
      if (this.#isDestroyed) return;
      const body = this.#requests().join('\n');
      this.#stream = this.#gateway.openBodyStream(path, body, this.#listener);
    });
  }

  /** Its events are not heard. It ends when the next watch begins. */
  cancel(): void {}

  destroy(): void {
    this.#isDestroyed = true;
    this.#stream?.destroy();
  }
}
