// Notices the death of sessions that are ahead of this one, while it waits.
//
// A session of liveness 'connection' has an advisory lock, which the server releases when its
// connection ends. The watch waits for one of those locks in the server, and tries the others each
// time around. The leases of all are looked at each time, too.
import { now } from '../../waiting/clock.js';
import { calls } from './calls.js';
import type { Link } from './link.js';
import { Looks } from './looks.js';

/** A wait that is shorter than that ends without a watch. */
const patience_ms = 100;
/** How long one look lasts, and how long after a death of those that it does not wait for. */
const longestLook_ms = 300;

export class Watch {
  readonly #link: Link;
  readonly #id: number;
  readonly #look_ms: number;
  /** The requests that wait, and the keys of queues in which takers wait. */
  readonly #waiting = new Set<number | string>();
  readonly #looks = new Looks(
    () => this.#look(),
    () => this.#waiting.size > 0,
  );

  constructor(link: Link, { id, ttl, commandTimeout }: WatchPlan) {
    this.#link = link;
    this.#id = id;
    this.#look_ms = Math.min(longestLook_ms, Math.ceil(ttl / 10), Math.ceil(commandTimeout / 2));
  }

  add(waiting: number | string): void {
    this.#waiting.add(waiting);
    this.#looks.begin(patience_ms);
  }

  delete(waiting: number | string): void {
    this.#waiting.delete(waiting);
  }

  end(): void {
    this.#looks.end();
  }

  /** Errors need no care: a link that fails ends the session. */
  async #look(): Promise<number> {
    const began = now();
    try {
      while (this.#waiting.size > 0 && !this.#looks.isOver) {
        const [row] = await this.#link.call(calls.watch, [this.#id, this.#look_ms]);
        if (row!['result'] !== true) break;
        await this.#link.call(calls.visit, [this.#id]);
      }
    } catch {
      // Said above.
    }
    // It waited in the server, or there was nothing to wait for there.
    return Math.max(1, this.#look_ms - (now() - began));
  }
}

interface WatchPlan {
  readonly id: number;
  readonly ttl: number;
  readonly commandTimeout: number;
}
