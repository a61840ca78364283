// Notices the death of sessions that are ahead of this one, while it waits.
//
// A session of liveness 'connection' has an advisory lock, which the server releases when its
// connection ends. The watch waits for one of those locks in the server, and tries the others each
// time around. The leases of all are looked at each time, too.
import { type Timer, clearTimeout, now, setTimeout } from '../../waiting/clock.js';
import { calls } from './calls.js';
import type { Link } from './link.js';

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
  #timer: Timer | undefined;
  #isRunning = false;
  #isOver = false;

  constructor(link: Link, { id, ttl, commandTimeout }: WatchPlan) {
    this.#link = link;
    this.#id = id;
    this.#look_ms = Math.min(longestLook_ms, Math.ceil(ttl / 10), Math.ceil(commandTimeout / 2));
  }

  add(waiting: number | string): void {
    this.#waiting.add(waiting);
    if (this.#timer !== undefined || this.#isRunning || this.#isOver) return;
    this.#later(patience_ms);
  }

  delete(waiting: number | string): void {
    this.#waiting.delete(waiting);
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isRunning = true;
      void this.#look();
    }, ms);
    this.#timer.unref();
  }

  /** Errors need no care: a link that fails ends the session. */
  async #look(): Promise<void> {
    const began = now();
    try {
      while (this.#waiting.size > 0 && !this.#isOver) {
        const [row] = await this.#link.call(calls.watch, [this.#id, this.#look_ms]);
        if (row!['result'] !== true) break;
        await this.#link.call(calls.visit, [this.#id]);
      }
    } catch {
      // Said above.
    }
    this.#isRunning = false;
    if (this.#waiting.size === 0 || this.#isOver) return;
    // It waited in the server, or there was nothing to wait for there.
    this.#later(Math.max(1, this.#look_ms - (now() - began)));
  }
}

interface WatchPlan {
  readonly id: number;
  readonly ttl: number;
  readonly commandTimeout: number;
}
