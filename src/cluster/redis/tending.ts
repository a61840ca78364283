// When a session renews its lease, and when it looks after the others. A session that waits looks
// for sessions that have ended, because a dead one tells nobody.
import { type Timer, clearTimeout, now, setTimeout } from '../../waiting/clock.js';

/** How often a session that waits looks for sessions whose connection has ended. */
const slice_ms = 300;
/** Leases end by the clock of Redis; a look at that very moment would come too early. */
const afterLease_ms = 2;

export interface TendingCallbacks {
  /** Renews. Returns in how many milliseconds the next lease of another session may end. */
  tend(isWaiting: boolean): Promise<number>;
  /** There may be a job: a message about it went to a session that was stopped or has died. */
  jobs(queue: string): void;
}

export class Tending {
  readonly #renewal_ms: number;
  readonly #callbacks: TendingCallbacks;
  /** Requests that wait. */
  readonly #requests = new Set<number>();
  /** Queues in which the last take() found nothing. */
  readonly #queues = new Set<string>();
  #timer: Timer | undefined;
  /** When it looks next. */
  #due = Infinity;
  #isTending = false;
  #hasEnded = false;

  constructor(ttl: number, callbacks: TendingCallbacks) {
    this.#renewal_ms = ttl / 3;
    this.#callbacks = callbacks;
    this.#arm(this.#renewal_ms);
  }

  waitsFor(request: number): void {
    this.#requests.add(request);
    this.#waitBegan();
  }

  waitsNoMoreFor(request: number): void {
    this.#requests.delete(request);
  }

  waitsForJobs(queue: string): void {
    this.#queues.add(queue);
    this.#waitBegan();
  }

  waitsNoMoreForJobs(queue: string): void {
    this.#queues.delete(queue);
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  get #isWaiting(): boolean {
    return this.#requests.size + this.#queues.size > 0;
  }

  #waitBegan(): void {
    if (this.#requests.size + this.#queues.size === 1) this.#arm(this.#slice_ms);
  }

  get #slice_ms(): number {
    return Math.min(slice_ms, this.#renewal_ms);
  }

  #arm(ms: number): void {
    // Never later than it was going to: waits that begin again and again must not put it off.
    if (this.#isTending || this.#hasEnded || now() + ms >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = now() + ms;
    this.#timer = setTimeout(() => void this.#look(), Math.ceil(ms));
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#isTending = true;
    this.#due = Infinity;
    const nextLease_ms = await this.#callbacks.tend(this.#isWaiting);
    this.#isTending = false;
    // A take() that finds nothing again puts its queue back.
    const queues = [...this.#queues];
    this.#queues.clear();
    for (const queue of queues) this.#callbacks.jobs(queue);
    const isWaiting = this.#isWaiting || queues.length > 0;
    const next = Math.min(this.#slice_ms, nextLease_ms + afterLease_ms);
    this.#arm(isWaiting ? next : this.#renewal_ms);
  }
}
