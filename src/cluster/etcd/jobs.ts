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
  countOf,
  hasValue,
  isMissing,
  isUnchanged,
  keyOfPair,
  oldestFirst,
  onlyCount,
  onlyKeys,
  pairsOf,
  put,
  queueOf,
  read,
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
/**
 * In UTF-16 units. Whoever takes a job out of a bundle reads all of it and writes the rest. Two
 * bundles that follow each other have more than one may have. So 10,000 jobs in a request of 1.5 MB
 * are 125 bundles at most.
 */
const largestBundle = 131_072;
/** The jobs of one take, in bytes. What is left of a bundle is in the same request. */
const largestTake = 1_000_000;

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
  /** The bytes of their values. */
  bytes: number;
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
    const bundles = bundlesOf(values).map((bundle, i) => {
      return put(`${fresh}-${String(i).padStart(5, '0')}`, bundleText(0, bundle));
    });
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
    const answer = await this.#transact(
      [],
      [
        readAll(this.#keys.all('l', queue), onlyCount),
        readAll(this.#keys.all('r', queue), onlyCount),
        readAll(this.#keys.all('f', queue), { ...oldestFirst, limit: Math.min(most, mostBundles) }),
      ],
      [],
    );
    const { revision } = answer.header;
    const offer: Offer = { jobs: [], bytes: 0, compare: [], bundles: [], revision };
    // Each key in `l` has one in `r`. So only if there are more in `r` somebody gave a job back.
    if (countOf(answer, 1) > countOf(answer, 0)) await this.#addBack(offer, queue, most);
    for (const pair of pairsOf(answer, 2)) {
      if (!addFresh(offer, pair, most)) break;
    }
    return offer;
  }

  /** Adds jobs that came back to the offer. What others take meanwhile, the claim finds out. */
  async #addBack(offer: Offer, queue: string, most: number): Promise<void> {
    const [owners, jobs] = [this.#keys.all('l', queue), this.#keys.all('r', queue)];
    const both = [readAll(owners, onlyKeys), readAll(jobs, { ...oldestFirst, ...onlyKeys })];
    const answer = await this.#transact([], both, []);
    const owned = new Set(pairsOf(answer, 0).map(idOf));
    const back = pairsOf(answer, 1)
      .map(idOf)
      .filter((id) => !owned.has(id))
      .slice(0, most);
    if (back.length === 0) return;
    const reads = back.map((id) => read(jobs + id));
    const found = await this.#transact([], reads, []);
    for (const [part, id] of back.entries()) {
      const [pair] = pairsOf(found, part);
      if (pair === undefined) continue;
      const [deliveries, value] = splitAt(valueOfPair(pair));
      if (!addJob(offer, { id, deliveries: Number(deliveries) + 1, value }, most)) return;
      offer.compare.push(isUnchanged(pair), isMissing(owners + id));
    }
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
    const answer = await this.#transact(
      [],
      [
        readAll(this.#keys.all('l', queue), onlyCount),
        readAll(this.#keys.all('r', queue), onlyCount),
        readAll(this.#keys.all('f', queue)),
      ],
      [],
    );
    const taken = countOf(answer, 0);
    const back = countOf(answer, 1) - taken;
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

/** The values in bundles: each has so many jobs at most, and is so large unless one job is more. */
function bundlesOf(values: readonly string[]): string[][] {
  const bundles: string[][] = [];
  let room = 0;
  for (const value of values) {
    const last = bundles.at(-1);
    if (last === undefined || last.length === jobsInBundle || room < value.length) {
      bundles.push([value]);
      room = largestBundle - value.length;
    } else {
      last.push(value);
      room -= value.length;
    }
  }
  return bundles;
}

/** A bundle: how many were taken out of it before, and those that are left. */
function bundleText(first: number, values: readonly string[]): string {
  return `${first} ${JSON.stringify(values)}`;
}

function jobsOf(pair: Pair): { first: number; values: readonly string[] } {
  const [first, values] = splitAt(valueOfPair(pair));
  return { first: Number(first), values: JSON.parse(values) as string[] };
}

/** False if the offer has no room for the job. */
function addJob(offer: Offer, job: Job, most: number): boolean {
  const bytes = offer.bytes + Buffer.byteLength(job.value);
  const isFull = offer.jobs.length === most || bytes > largestTake;
  // One that is larger than that goes alone.
  if (isFull && offer.jobs.length > 0) return false;
  offer.jobs.push(job);
  offer.bytes = bytes;
  return true;
}

/** Adds jobs of a bundle to the offer. False if it has no room for all of them. */
function addFresh(offer: Offer, pair: Pair, most: number): boolean {
  const { first, values } = jobsOf(pair);
  const bundle = idOf(pair);
  const isAdded = (value: string, i: number): boolean =>
    addJob(offer, { id: `${bundle}.${first + i}`, deliveries: 1, value }, most);
  const end = values.findIndex((value, i) => !isAdded(value, i));
  if (end === 0) return false;
  const key = keyOfPair(pair);
  offer.compare.push(isUnchanged(pair));
  const rest = end === -1 ? [] : values.slice(end);
  offer.bundles.push(rest.length === 0 ? remove(key) : put(key, bundleText(first + end, rest)));
  return rest.length === 0;
}

/** The last part of its key: the job. */
function idOf(pair: Pair): string {
  return keyOfPair(pair).split('/').at(-1)!;
}
