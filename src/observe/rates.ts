// What changes between two snapshots: rates for `top` and the dashboard.
import type { Seen } from './snapshot.js';

/** An object with what happens to it each second. */
export interface Rated extends Seen {
  /** Acquisitions a second; of a queue, items put. */
  readonly acquired: number;
  /** Acquisitions a second that had to wait. */
  readonly contended: number;
}

/** The counter of what an object is for. */
export function uses({ state }: Seen): number {
  return state?.acquisitions ?? state?.puts ?? state?.sets ?? state?.notifications ?? 0;
}

function waited({ state }: Seen): number {
  return state?.contentions ?? 0;
}

export function keyOf({ kind, name }: { kind: string; name: string }): string {
  return `${kind} ${name}`;
}

/** How much a counter went up in each of `s` seconds. One that is lower has begun anew. */
export function perSecond(now: number, then: number, s: number): number {
  return s > 0 && now > then ? (now - then) / s : 0;
}

/** Compares each snapshot with the one before. */
export class Rates {
  #before = new Map<string, Seen>();
  #at_ms = 0;

  next(seen: readonly Seen[], now_ms: number): Rated[] {
    const s = (now_ms - this.#at_ms) / 1000;
    const rated = seen.map((one) => {
      const before = this.#before.get(keyOf(one)) ?? one;
      const acquired = perSecond(uses(one), uses(before), s);
      return { ...one, acquired, contended: perSecond(waited(one), waited(before), s) };
    });
    this.#before = new Map(seen.map((one) => [keyOf(one), one]));
    this.#at_ms = now_ms;
    return rated;
  }
}
