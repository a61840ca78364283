// The last minutes of all objects, sampled: for the charts and the timeline of the dashboard.
import { type Rated, Rates, keyOf } from './rates.js';
import { type Seen, waitersOf, waitsOf } from './snapshot.js';

/** What an object was like at one sample. */
export interface Sample {
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
  readonly acquired: number;
  readonly contended: number;
  readonly waiting: number;
  /** Who held it: each `pid name`, or that of the worker. */
  readonly holders: readonly string[];
  readonly waiters: readonly string[];
}

export interface Line {
  readonly kind: string;
  readonly name: string;
  readonly samples: Sample[];
}

const who = (one: { pid: number; threadId: number; processName: string }): string =>
  `${one.pid}${one.threadId === 0 ? '' : `/${one.threadId}`} ${one.processName}`;

function sampleOf(one: Rated, at: number): Sample {
  const { state, locks, acquired, contended } = one;
  const holders = locks ? locks.flatMap((lock) => lock.holders) : (state?.holders ?? []);
  return {
    at,
    acquired,
    contended,
    waiting: waitsOf(one),
    holders: [...new Set(holders.map(who))],
    waiters: [...new Set(waitersOf(one).map(who))],
  };
}

export class History {
  readonly #rates = new Rates();
  readonly #lines = new Map<string, Line>();
  readonly #span_ms: number;
  latest: readonly Rated[] = [];

  constructor(span_ms: number) {
    this.#span_ms = span_ms;
  }

  add(seen: readonly Seen[], at: number): void {
    this.latest = this.#rates.next(seen, at);
    for (const one of this.latest) {
      const key = keyOf(one);
      const { kind, name } = one;
      if (!this.#lines.has(key)) this.#lines.set(key, { kind, name, samples: [] });
      this.#lines.get(key)!.samples.push(sampleOf(one, at));
    }
    for (const [key, { samples }] of this.#lines) {
      while (samples.length > 0 && samples[0]!.at < at - this.#span_ms) samples.shift();
      if (samples.length === 0) this.#lines.delete(key);
    }
  }

  lineOf(one: { kind: string; name: string }): readonly Sample[] {
    return this.#lines.get(keyOf(one))?.samples ?? [];
  }

  get lines(): readonly Line[] {
    return [...this.#lines.values()];
  }
}
