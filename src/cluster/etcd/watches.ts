// All watches of a session, on one connection. When the connection is lost, they begin again where
// they were, so that nothing is missed.
import { setTimeout } from '../../waiting/clock.js';
import { type Gateway, endOfPrefix, toBase64 } from './gateway.js';
import type { Pair } from './keys.js';
import type { WebSocket } from './websocket.js';

const retry_ms = 200;

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
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly events?: readonly WatchEvent[];
  };
}

export class Watches {
  readonly #gateway: Gateway;
  readonly #watched = new Map<number, { watched: Watched; after: bigint }>();
  #ids = 0;
  #socket: WebSocket | undefined;
  #isClosed = false;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** Opens the connection. */
  async open(): Promise<void> {
    const socket = await this.#gateway.openStream('/v3/watch', {
      message: (text) => this.#hear(JSON.parse(text) as Message),
      ended: () => this.#reopen(),
    });
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    for (const id of this.#watched.keys()) this.#create(id);
  }

  /** Returns its number, for remove(). */
  add(watched: Watched): number {
    const id = ++this.#ids;
    this.#watched.set(id, { watched, after: BigInt(watched.after) });
    this.#create(id);
    return id;
  }

  remove(id: number): void {
    if (!this.#watched.delete(id)) return;
    this.#socket?.send(JSON.stringify({ cancel_request: { watch_id: id } }));
  }

  close(): void {
    this.#isClosed = true;
    this.#watched.clear();
    this.#socket?.destroy();
  }

  #create(id: number): void {
    const { watched, after } = this.#watched.get(id)!;
    const { key, isPrefix, onlyDeletions } = watched;
    const request = {
      key: toBase64(key),
      ...(isPrefix && { range_end: endOfPrefix(key) }),
      ...(onlyDeletions && { filters: ['NOPUT'] }),
      start_revision: String(after + 1n),
      watch_id: id,
    };
    this.#socket?.send(JSON.stringify({ create_request: request }));
  }

  #hear({ result }: Message): void {
    if (result?.watch_id === undefined) return;
    const entry = this.#watched.get(Number(result.watch_id));
    if (entry === undefined) return;
    const { watched } = entry;
    if (result.canceled) {
      // The history since then is gone. From now on is as good after a new look.
      entry.after = BigInt(result.header.revision);
      this.#create(Number(result.watch_id));
      watched.onEvents([]);
    } else if (result.events !== undefined) {
      entry.after = BigInt(result.events.at(-1)!.kv.mod_revision);
      watched.onEvents(result.events);
    }
  }

  #reopen(): void {
    this.#socket = undefined;
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      if (this.#isClosed) return;
      this.open().catch(() => this.#reopen());
    }, retry_ms);
    timer.unref();
  }
}
