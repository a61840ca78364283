// What processes did with named locks while some of them were killed, and what is wrong with it.
import { row, wordsOfRow } from '../programs/actor/acts/lock-ledger.mjs';

/** A request as its player wrote it down. Times are those of now(). */
export interface LedgerRequest {
  readonly player: number;
  readonly name: number;
  readonly isShared: boolean;
  readonly asked: number;
  /** 0 if it was never granted. */
  readonly granted: number;
  readonly token: number;
  readonly isAbandoned: boolean;
  /** 0 if the callback did not come to its end. */
  readonly left: number;
  /** 0 if the promise did not settle. */
  readonly ended: number;
}

/** When a player was killed: after `from` and before `to`. */
export interface Kill {
  readonly from: number;
  readonly to: number;
}

/** By the player. */
export type Kills = ReadonlyMap<number, Kill>;

export interface Verdict {
  requests: number;
  grants: number;
  /** Players that were killed while they held, by what they wrote down. */
  diedHolding: number;
  /** Milliseconds from the instant at which nothing was in the way to the grant. */
  longestGap_ms: number;
  /** Gaps of more than two slices. */
  longGaps: number;
  faults: string[];
}

/** What stands in the log of one player. */
export function readLedger(player: number, log: ArrayBufferLike): LedgerRequest[] {
  const all = new Float64Array(log);
  const requests: LedgerRequest[] = [];
  for (let at = 0; at < all.length && all[at + row.asked] !== 0; at += wordsOfRow) {
    const word = (place: number): number => all[at + place]!;
    requests.push({
      player,
      name: word(row.name),
      isShared: word(row.isShared) === 1,
      asked: word(row.asked),
      granted: word(row.granted),
      token: word(row.token),
      isAbandoned: word(row.isAbandoned) === 1,
      left: word(row.left),
      ended: word(row.ended),
    });
  }
  return requests;
}

const twoSlices_ms = 100;

/**
 * Checks that no lock was held twice, that every grant arrived, and that news of a dead holder
 * arrived.
 */
export function judge(all: readonly LedgerRequest[], kills: Kills): Verdict {
  const verdict: Verdict = {
    requests: all.length,
    grants: 0,
    diedHolding: 0,
    longestGap_ms: 0,
    longGaps: 0,
    faults: [],
  };
  for (const one of all) {
    if (kills.has(one.player) || one.ended !== 0) continue;
    verdict.faults.push(`a request of a player that lives did not end: ${JSON.stringify(one)}`);
  }
  for (const name of new Set(all.map((one) => one.name))) {
    const line = all.filter((one) => one.name === name && one.granted !== 0);
    new Line(verdict, kills).judge(line.toSorted((a, b) => a.token - b.token));
  }
  return verdict;
}

/** The grants of one name in the order of their tokens. */
class Line {
  readonly #verdict: Verdict;
  readonly #kills: Kills;
  #last: LedgerRequest | undefined;
  #lastExclusive: LedgerRequest | undefined;
  /** When all holds so far had ended, and all exclusive ones. */
  #end = 0;
  #exclusiveEnd = 0;

  constructor(verdict: Verdict, kills: Kills) {
    this.#verdict = verdict;
    this.#kills = kills;
  }

  judge(grants: readonly LedgerRequest[]): void {
    for (const one of grants) {
      this.#verdict.grants++;
      if (one.token === this.#last?.token) this.#fault('a token that another has', one);
      this.#judgeTimes(one);
      this.#judgeNews(one);
      this.#last = one;
      if (!one.isShared) this.#lastExclusive = one;
    }
  }

  #judgeTimes(one: LedgerRequest): void {
    const end = this.#endOf(one);
    const free = one.isShared ? this.#exclusiveEnd : this.#end;
    if (one.granted < free) this.#fault('granted while another held', one);
    const gap_ms = one.granted - Math.max(one.asked, free);
    this.#verdict.longestGap_ms = Math.max(this.#verdict.longestGap_ms, gap_ms);
    if (gap_ms > twoSlices_ms) this.#verdict.longGaps++;
    this.#end = Math.max(this.#end, end);
    if (!one.isShared) this.#exclusiveEnd = Math.max(this.#exclusiveEnd, end);
    if (one.left === 0) this.#verdict.diedHolding++;
  }

  #judgeNews(one: LedgerRequest): void {
    const before = this.#lastExclusive;
    if (one.isAbandoned && !this.#wasKill(before?.granted ?? 0, one.granted)) {
      this.#fault('news of a death, and nobody died', one);
    }
    // Another that was killed may have had the news, and not have written down that it held.
    if (before === undefined || before.left !== 0 || one.isAbandoned) return;
    if (!this.#wasKill(this.#endOf(before), one.granted, before.player)) {
      this.#fault('no news of a holder that died', one);
    }
  }

  #endOf(one: LedgerRequest): number {
    return one.left !== 0 ? one.left : (this.#kills.get(one.player)?.from ?? Infinity);
  }

  /** May a player have died between two times? */
  #wasKill(from: number, to: number, except = -1): boolean {
    for (const [player, kill] of this.#kills) {
      if (player !== except && kill.to > from && kill.from < to) return true;
    }
    return false;
  }

  #fault(what: string, one: LedgerRequest): void {
    const before = JSON.stringify(this.#last ?? null);
    this.#verdict.faults.push(`${what}: ${JSON.stringify(one)}, after ${before}`);
  }
}
