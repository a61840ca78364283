// How long a session is surely alive.
//
// The engine counts `ttl` from when a renewal reaches it. This process counts nine tenths of it
// from before the renewal was sent, so it always gives up first. It reads two clocks: the monotonic
// one, which nobody can set, and the wall clock, which goes on while the machine is suspended.
import { type Timer, clearTimeout, now, setTimeout, wallNow } from '../waiting/clock.js';

/** A moment by both clocks, in milliseconds. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

export function instant(): Instant {
  return { monotonic: now(), wall: wallNow() };
}

/** Milliseconds since then, by the clock that says more. */
export function since({ monotonic, wall }: Instant): number {
  return Math.max(now() - monotonic, wallNow() - wall);
}

const surePart = 0.9;

/** The lease of one session. It calls back once, when it has run out. */
export class Lease {
  readonly #sure_ms: number;
  readonly #onEnd: () => void;
  #renewed: Instant;
  #timer: Timer | undefined;

  /** @param sent before the command was sent that made the session. */
  constructor(ttl: number, sent: Instant, onEnd: () => void) {
    this.#sure_ms = ttl * surePart;
    this.#onEnd = onEnd;
    this.#renewed = sent;
    this.#arm();
  }

  /** True if the engine may have ended the session by now. Reads the clocks. */
  get isOver(): boolean {
    return since(this.#renewed) >= this.#sure_ms;
  }

  /** The engine has renewed it, by a command that was sent then. */
  renewed(sent: Instant): void {
    // One that was already over stays so: others may have been granted its locks meanwhile.
    if (this.#timer === undefined || this.isOver) return;
    if (sent.monotonic > this.#renewed.monotonic) this.#renewed = sent;
  }

  /** Calls back no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const left = Math.max(1, Math.ceil(this.#sure_ms - since(this.#renewed)));
    this.#timer = setTimeout(() => {
      if (!this.isOver) {
        this.#arm();
        return;
      }
      this.#timer = undefined;
      this.#onEnd();
    }, left);
    this.#timer.unref();
  }
}
