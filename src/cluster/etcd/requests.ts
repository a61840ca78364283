// Locks and permits of a session in etcd.
//
// A request that cannot be granted at once stands in the line: its key there is older than those of
// all that come later. It watches the one before it, or the holders if it is the first. When that
// changes, it claims: one transaction grants it the lock, if it is the first and the lock is free,
// and else reads what to watch next. So nobody overtakes, and nothing is granted on what was true
// before a pause. The token is the revision of the transaction that granted.
import { IncompatibleError } from '../../errors.js';
import { setTimeout } from '../../waiting/clock.js';
import type { Answer, Asked, SessionNews } from '../engine.js';
import { retry_ms, tryLater } from './again.js';
import { isRefusal, toBase64 } from './gateway.js';
import {
  type Compare,
  type Keys,
  type Pair,
  type TxnAnswer,
  hasValue,
  isEmpty,
  isEmptyBetween,
  isMissing,
  keyOfPair,
  pairsOf,
  put,
  read,
  readAll,
  remove,
  removeAll,
  resourceOf,
  valueOfPair,
  youngestFirst,
} from './keys.js';
import type { WatchEvent, Watches } from './watches.js';

/** Sends a transaction: what must be true, what is done then, and what is done otherwise. */
export type Transact = (
  compare: readonly Compare[],
  success: readonly object[],
  failure: readonly object[],
) => Promise<TxnAnswer>;

/** A request of this session. */
interface Entry {
  readonly asked: Asked;
  readonly resource: string;
  readonly id: string;
  /** Its key in the line. */
  readonly place: string;
  /** The create revision of that key. */
  since: string;
  slot: number;
  /** The revision of its grant. 0n while it waits. */
  token: bigint;
  isOver: boolean;
  isClaiming: boolean;
  /** Something has changed since the claim that is on its way was sent. */
  claimsAgain: boolean;
  watch: number | undefined;
}

export class Requests {
  readonly #keys: Keys;
  readonly #lease: string;
  readonly #transact: Transact;
  readonly #watches: Watches;
  readonly #news: SessionNews;
  readonly #entries = new Map<number, Entry>();
  #isClosed = false;

  constructor(
    keys: Keys,
    lease: string,
    transact: Transact,
    watches: Watches,
    news: SessionNews,
    revision: string,
  ) {
    this.#keys = keys;
    this.#lease = lease;
    this.#transact = transact;
    this.#watches = watches;
    this.#news = news;
    const key = keys.all('t');
    const onEvents = (events: readonly WatchEvent[]): void => this.#hearOfThefts(events);
    watches.add({ key, isPrefix: true, after: revision, onEvents });
  }

  close(): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) entry.isOver = true;
    this.#entries.clear();
  }

  async ask(asked: Asked): Promise<Answer> {
    const resource = resourceOf(asked);
    const id = `${this.#lease}-${asked.request}`;
    const entry: Entry = {
      asked,
      resource,
      id,
      place: this.#keys.all('w', resource) + id,
      since: '0',
      slot: Math.floor(Math.random() * (asked.permits ?? 0)),
      token: 0n,
      isOver: false,
      isClaiming: false,
      claimsAgain: false,
      watch: undefined,
    };
    this.#entries.set(asked.request, entry);
    try {
      return await (asked.steal ? this.#steal(entry) : this.#enter(entry));
    } catch (error) {
      entry.isOver = true;
      this.#entries.delete(asked.request);
      // What was asked may still have its effect. It is taken back, once more for one that is late.
      if (!isRefusal(error)) this.#withdrawLater(entry, 2);
      throw error;
    }
  }

  async #enter(entry: Entry): Promise<Answer> {
    const { asked, resource, id, place } = entry;
    const line = this.#keys.all('w', resource);
    const queue = asked.ifAvailable ? [] : [put(place, valueOf(entry), this.#lease)];
    for (;;) {
      const answer = await this.#transact(
        [isEmpty(line), ...this.#isFree(entry)],
        [put(this.#holdKey(entry), id, this.#lease)],
        [readAll(line, { ...youngestFirst, limit: 1 }), this.#readHolders(entry), ...queue],
      );
      if (answer.succeeded) return this.#granted(entry, answer);
      const others = pairsOf(answer, 0);
      const holders = pairsOf(answer, 1);
      this.#checkPermits(entry, [...others, ...holders]);
      if (asked.ifAvailable) {
        const isTaken = others.length > 0 || !this.#findSlot(entry, holders);
        if (isTaken) return this.#unavailable(entry);
        continue;
      }
      entry.since = answer.header.revision;
      this.#wait(entry, others[0], holders, answer.header.revision);
      return 'waiting';
    }
  }

  /** Takes it from all holders. They hear of it by the key of the theft. */
  async #steal(entry: Entry): Promise<Answer> {
    const { resource, id } = entry;
    const answer = await this.#transact(
      [],
      [
        put(this.#keys.theft(resource), id, this.#lease),
        removeAll(`${this.#keys.all('h', resource)}s/`),
        put(this.#holdKey(entry), id, this.#lease),
      ],
      [],
    );
    return this.#granted(entry, answer);
  }

  /** Ends the request. Resolves to true if it held. */
  async end({ request }: Asked): Promise<boolean> {
    const entry = this.#entries.get(request);
    if (entry === undefined) return false;
    entry.isOver = true;
    this.#entries.delete(request);
    this.#watchNothing(entry);
    try {
      return await this.#withdraw(entry);
    } catch (error) {
      this.#withdrawLater(entry, 1);
      throw error;
    }
  }

  async #withdraw(entry: Entry): Promise<boolean> {
    const key = this.#holdKey(entry);
    const place = remove(entry.place);
    const answer = await this.#transact([hasValue(key, entry.id)], [remove(key), place], [place]);
    return answer.succeeded === true;
  }

  #withdrawLater(entry: Entry, times: number): void {
    const isOver = (): boolean => this.#isClosed;
    tryLater(() => this.#withdraw(entry), times, isOver);
  }

  #granted(entry: Entry, { header }: { header: { revision: string } }): Answer {
    entry.token = BigInt(header.revision);
    return { token: entry.token, abandoned: undefined };
  }

  #unavailable(entry: Entry): Answer {
    this.#entries.delete(entry.asked.request);
    return 'unavailable';
  }

  #holdKey({ asked, resource, id, slot }: Entry): string {
    return this.#keys.hold(asked, resource, id, slot);
  }

  /** What must be true of the holders, so that it can hold beside them. */
  #isFree(entry: Entry): Compare[] {
    const { asked, resource } = entry;
    const holders = this.#keys.all('h', resource);
    if (asked.kind === 'lock') {
      return asked.mode === 'exclusive' ? [isEmpty(holders)] : [isMissing(`${holders}x`)];
    }
    // No permits of another number may be in use.
    const own = this.#keys.permitsOf(resource, asked.permits!);
    const afterOwn = `${own.slice(0, -1)}0`;
    return [
      isMissing(this.#holdKey(entry)),
      isEmptyBetween(holders, own),
      isEmptyBetween(afterOwn, `${holders.slice(0, -1)}0`),
    ];
  }

  #readHolders({ asked, resource }: Entry): object {
    const limit = asked.kind === 'lock' ? 1 : asked.permits!;
    return readAll(this.#keys.all('h', resource), { limit });
  }

  /** @throws IncompatibleError if others use another number of permits. */
  #checkPermits(entry: Entry, others: readonly Pair[]): void {
    const { asked, place } = entry;
    if (asked.kind === 'lock') return;
    const counts = others.map((pair) => {
      const slot = /\/p\/(\d+)\/\d+$/.exec(keyOfPair(pair));
      return Number(slot ? slot[1] : valueOfPair(pair).split(' ')[1]);
    });
    const other = counts.find((count) => count !== asked.permits);
    if (other === undefined) return;
    if (!asked.ifAvailable) this.#transact([], [remove(place)], []).catch(() => {});
    throw new IncompatibleError(`others use it with ${other} permits, not ${asked.permits}`, {
      kind: 'Semaphore',
      objectName: asked.name,
    });
  }

  /** Chooses a permit that none of the holders has. False if there is none. */
  #findSlot(entry: Entry, holders: readonly Pair[]): boolean {
    const { permits } = entry.asked;
    if (permits === undefined || holders.length >= permits) return false;
    const taken = new Set(holders.map((pair) => Number(keyOfPair(pair).split('/').at(-1))));
    while (taken.has(entry.slot)) entry.slot = (entry.slot + 1) % permits;
    return true;
  }

  /** Watches what it waits for, as it was at `revision`. */
  #wait(entry: Entry, before: Pair | undefined, holders: readonly Pair[], revision: string): void {
    if (before === undefined && this.#findSlot(entry, holders)) {
      void this.#claim(entry);
      return;
    }
    this.#watchNothing(entry);
    entry.watch = this.#watches.add({
      key: before === undefined ? this.#keys.all('h', entry.resource) : keyOfPair(before),
      isPrefix: before === undefined,
      onlyDeletions: true,
      after: revision,
      onEvents: () => void this.#claim(entry),
    });
  }

  #watchNothing(entry: Entry): void {
    if (entry.watch !== undefined) this.#watches.remove(entry.watch);
    entry.watch = undefined;
  }

  async #claim(entry: Entry): Promise<void> {
    entry.claimsAgain = entry.isClaiming;
    if (entry.isOver || entry.token > 0n || entry.isClaiming) return;
    entry.isClaiming = true;
    try {
      await this.#claimOnce(entry);
    } catch {
      // Whether it was granted is not known: the next claim finds out.
      const timer = setTimeout(() => void this.#claim(entry), retry_ms);
      timer.unref();
    }
    entry.isClaiming = false;
    if (entry.claimsAgain) void this.#claim(entry);
  }

  async #claimOnce(entry: Entry): Promise<void> {
    const { resource, id, place, since } = entry;
    const line = this.#keys.all('w', resource);
    const key = this.#holdKey(entry);
    const isFirst: Compare = {
      ...isEmpty(line),
      result: 'GREATER',
      create_revision: String(BigInt(since) - 1n),
    };
    const isThere: Compare = {
      target: 'CREATE',
      result: 'EQUAL',
      key: toBase64(place),
      create_revision: since,
    };
    const answer = await this.#transact(
      [isThere, isFirst, ...this.#isFree(entry)],
      [put(key, id, this.#lease), remove(place)],
      [
        read(place),
        read(key),
        readAll(line, {
          ...youngestFirst,
          limit: 1,
          max_create_revision: String(BigInt(since) - 1n),
        }),
        this.#readHolders(entry),
      ],
    );
    if (entry.isOver) return;
    const own = pairsOf(answer, 1).find((pair) => valueOfPair(pair) === id);
    if (answer.succeeded || own !== undefined) {
      this.#watchNothing(entry);
      entry.token = BigInt(own?.mod_revision ?? answer.header.revision);
      this.#news.granted(entry.asked.request, { token: entry.token, abandoned: undefined });
    } else if (pairsOf(answer, 0).length === 0) {
      this.#news.lost('engine', new Error('etcd does not know a request of this session any more'));
    } else {
      entry.claimsAgain = false;
      this.#wait(entry, pairsOf(answer, 2)[0], pairsOf(answer, 3), answer.header.revision);
    }
  }

  #hearOfThefts(events: readonly WatchEvent[]): void {
    for (const { type, kv } of events) {
      if (type === 'DELETE') continue;
      const key = keyOfPair(kv);
      const theft = BigInt(kv.mod_revision);
      for (const entry of this.#entries.values()) {
        const isVictim = entry.token > 0n && entry.token < theft;
        if (!isVictim || this.#keys.theft(entry.resource) !== key) continue;
        this.#entries.delete(entry.asked.request);
        this.#news.stolen(entry.asked.request);
      }
    }
  }
}

/** What its key in the line says. */
function valueOf({ id, asked }: Entry): string {
  return `${id} ${asked.permits ?? (asked.mode === 'exclusive' ? 'x' : 's')}`;
}
