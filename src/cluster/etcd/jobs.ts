// Job queues in etcd. Jobs are put under `f`, those of one putMany() in bundles, because etcd takes
// few keys in a transaction. A taker moves its job to `r`, and writes its session's lease to `l`.
// When that session ends, `l` goes with it, and `r` stays: then the job is to be had again, before
// those that nobody has taken yet.
import { randomUUID } from 'node:crypto';
import type { ClusterQueueCount } from '../cluster.js';
import type { SessionNews, Taken } from '../engine.js';
import { tryLater } from './again.js';
import { isRefusal } from './gateway.js';
import {
  type Compare,
  type Keys,
  type Pair,
  hasValue,
  isMissing,
  isUnchanged,
  keyOfPair,
  oldestFirst,
  pairsOf,
  put,
  queueOf,
  readAll,
  remove,
  valueOfPair,
} from './keys.js';
import type { Transact } from './requests.js';
import type { Watches } from './watches.js';

/** etcd takes 128 operations in a transaction. A job that is taken needs two, a bundle one. */
const mostTaken = 56;
const mostBundles = 8;
const jobsInBundle = 100;

interface Job {
  readonly id: string;
  readonly deliveries: number;
  readonly value: string;
}

/** What becomes of a job that was taken: `taken` is the id that take() gave it. */
interface Ending {
  readonly taken: string;
  readonly isDone: boolean;
}

/** What could be taken at one moment. */
interface Offer {
  readonly jobs: Job[];
  readonly compare: Compare[];
  /** What becomes of the bundles that jobs are taken out of. */
  readonly bundles: object[];
  readonly revision: string;
}

export class Jobs {
  readonly #keys: Keys;
  readonly #lease: string;
  readonly #transact: Transact;
  readonly #watches: Watches;
  readonly #news: SessionNews;
  /** Counts the takes, so that what one of them claimed is not taken for what another did. */
  #claims = 0;
  #isClosed = false;
  /** The watches of queues in which the last take() found nothing. */
  readonly #waits = new Map<string, number[]>();

  constructor(keys: Keys, lease: string, transact: Transact, watches: Watches, news: SessionNews) {
    this.#keys = keys;
    this.#lease = lease;
    this.#transact = transact;
    this.#watches = watches;
    this.#news = news;
  }

  /** All in one transaction, so that it is all or none. */
  async put(name: string, values: readonly string[]): Promise<void> {
    // Keys written by one transaction have one create revision: among those the key decides.
    const fresh = this.#keys.all('f', queueOf(name)) + randomUUID();
    const bundles: object[] = [];
    for (let first = 0; first < values.length; first += jobsInBundle) {
      const bundle = values.slice(first, first + jobsInBundle);
      bundles.push(put(`${fresh}-${String(first).padStart(5, '0')}`, bundleText(0, bundle)));
    }
    await this.#transact([], bundles, []);
  }

  async take(name: string, max: number): Promise<Taken[]> {
    for (;;) {
      const offer = await this.#look(name, Math.min(max, mostTaken));
      if (offer.jobs.length === 0) {
        this.#wait(name, offer.revision);
        return [];
      }
      this.stopWaiting(name);
      const taken = await this.#claim(name, offer);
      if (taken !== undefined) return taken;
    }
  }

  /** The jobs that nobody has: those that came back, then the oldest of the others. */
  async #look(name: string, most: number): Promise<Offer> {
    const queue = queueOf(name);
    const owners = this.#keys.all('l', queue);
    const answer = await this.#transact(
      [],
      [
        readAll(owners, { keys_only: true }),
        readAll(this.#keys.all('r', queue), oldestFirst),
        readAll(this.#keys.all('f', queue), { ...oldestFirst, limit: mostBundles }),
      ],
      [],
    );
    const { revision } = answer.header;
    const offer: Offer = { jobs: [], compare: [], bundles: [], revision };
    const owned = new Set(pairsOf(answer, 0).map(idOf));
    const back = pairsOf(answer, 1).filter((pair) => !owned.has(idOf(pair)));
    for (const pair of back.slice(0, most)) {
      const id = idOf(pair);
      const [deliveries, value] = splitAt(valueOfPair(pair));
      offer.jobs.push({ id, deliveries: Number(deliveries) + 1, value });
      offer.compare.push(isUnchanged(pair), isMissing(owners + id));
    }
    for (const pair of pairsOf(answer, 2)) addFresh(offer, pair, most);
    return offer;
  }

  /** Undefined if somebody else was faster with one of them. */
  async #claim(name: string, { jobs, compare, bundles }: Offer): Promise<Taken[] | undefined> {
    const queue = queueOf(name);
    const claim = ++this.#claims;
    const success = jobs.flatMap(({ id, deliveries, value }) => [
      put(this.#keys.all('l', queue) + id, `${this.#lease} ${claim}`, this.#lease),
      put(this.#keys.all('r', queue) + id, `${deliveries} ${value}`),
    ]);
    const all = [...success, ...bundles];
    const answer = await this.#transact(compare, all, []).catch((error: unknown) => {
      const endings = jobs.map(({ id }) => ({ taken: `${claim} ${id}`, isDone: false }));
      if (!isRefusal(error)) this.#settleLater(name, endings, 2);
      throw error;
    });
    if (!answer.succeeded) return undefined;
    const token = BigInt(answer.header.revision);
    return jobs.map(({ id, deliveries, value }) => {
      return { id: `${claim} ${id}`, value, deliveries, token };
    });
  }

  async settle(name: string, done: readonly string[], retry: readonly string[]): Promise<number> {
    const endings = [
      ...done.map((taken) => ({ taken, isDone: true })),
      ...retry.map((taken) => ({ taken, isDone: false })),
    ];
    let count = 0;
    for (let first = 0; first < endings.length; first += mostTaken) {
      const some = endings.slice(first, first + mostTaken);
      count += await this.#settle(name, some).catch((error: unknown) => {
        if (!isRefusal(error)) this.#settleLater(name, some, 1);
        throw error;
      });
    }
    return count;
  }

  /** The session may live on, so what it may have without knowing would stay with it. */
  #settleLater(name: string, endings: readonly Ending[], times: number): void {
    const isOver = (): boolean => this.#isClosed;
    tryLater(() => this.#settle(name, endings), times, isOver);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** All in one transaction. If the session has lost one of them, each in one of its own. */
  async #settle(name: string, endings: readonly Ending[]): Promise<number> {
    const queue = queueOf(name);
    const parts = endings.map(({ taken, isDone }) => {
      const [claim, id] = splitAt(taken);
      const owner = this.#keys.all('l', queue) + id;
      const gone = isDone ? [remove(this.#keys.all('r', queue) + id)] : [];
      return {
        compare: hasValue(owner, `${this.#lease} ${claim}`),
        success: [remove(owner), ...gone],
      };
    });
    const answer = await this.#transact(
      parts.map(({ compare }) => compare),
      parts.flatMap(({ success }) => success),
      [],
    );
    if (answer.succeeded) return endings.length;
    if (endings.length === 1) return 0;
    let count = 0;
    for (const ending of endings) count += await this.#settle(name, [ending]);
    return count;
  }

  async count(name: string): Promise<ClusterQueueCount> {
    const queue = queueOf(name);
    const how = { keys_only: true };
    const answer = await this.#transact(
      [],
      [
        readAll(this.#keys.all('l', queue), how),
        readAll(this.#keys.all('r', queue), how),
        readAll(this.#keys.all('f', queue)),
      ],
      [],
    );
    const taken = pairsOf(answer, 0).length;
    const back = pairsOf(answer, 1).length - taken;
    const fresh = pairsOf(answer, 2).map((pair) => jobsOf(pair).values.length);
    return { waiting: fresh.reduce((sum, count) => sum + count, back), taken };
  }

  stopWaiting(name: string): void {
    for (const watch of this.#waits.get(name) ?? []) this.#watches.remove(watch);
    this.#waits.delete(name);
  }

  /** Until a job is put, or the session of one that took a job ends. */
  #wait(name: string, after: string): void {
    this.stopWaiting(name);
    const queue = queueOf(name);
    const onEvents = (): void => {
      this.stopWaiting(name);
      this.#news.jobs(name);
    };
    const all = (letter: 'f' | 'l'): { key: string; isPrefix: true } => {
      return { key: this.#keys.all(letter, queue), isPrefix: true };
    };
    this.#waits.set(name, [
      this.#watches.add({ ...all('f'), after, onEvents }),
      this.#watches.add({ ...all('l'), onlyDeletions: true, after, onEvents }),
    ]);
  }
}

/** What comes before the first space, and what after it. */
function splitAt(text: string): [string, string] {
  const space = text.indexOf(' ');
  return [text.slice(0, space), text.slice(space + 1)];
}

/** A bundle: how many were taken out of it before, and those that are left. */
function bundleText(first: number, values: readonly string[]): string {
  return `${first} ${JSON.stringify(values)}`;
}

function jobsOf(pair: Pair): { first: number; values: readonly string[] } {
  const [first, values] = splitAt(valueOfPair(pair));
  return { first: Number(first), values: JSON.parse(values) as string[] };
}

/** Adds jobs of a bundle to the offer, until it has `most`. */
function addFresh(offer: Offer, pair: Pair, most: number): void {
  const room = most - offer.jobs.length;
  if (room <= 0) return;
  const { first, values } = jobsOf(pair);
  const bundle = idOf(pair);
  values.slice(0, room).forEach((value, i) => {
    offer.jobs.push({ id: `${bundle}.${first + i}`, deliveries: 1, value });
  });
  const key = keyOfPair(pair);
  const rest = values.slice(room);
  offer.compare.push(isUnchanged(pair));
  offer.bundles.push(
    rest.length === 0
      ? remove(key)
      : put(key, bundleText(first + values.length - rest.length, rest)),
  );
}

/** The last part of its key: the job. */
function idOf(pair: Pair): string {
  return keyOfPair(pair).split('/').at(-1)!;
}
