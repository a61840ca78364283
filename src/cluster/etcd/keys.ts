// The keys of a namespace in etcd, and the parts of a transaction over them.
//
//   format              which of these layouts it is
//   h/<resource>/x      who holds a lock exclusively
//   h/<resource>/s/<id> who shares a lock
//   h/<resource>/p/<permits>/<slot>  who has a permit of a semaphore
//   w/<resource>/<id>   who waits; the line is in the order of the create revisions
//   t/<resource>        the last theft of a lock, as long as the thief's session lives
//   f/<queue>/<bundle>  jobs that nobody has taken yet: the number of the first, and all of them
//   r/<queue>/<job>     a job that was taken at least once: deliveries and value
//   l/<queue>/<job>     whose it is now; without this key anybody may take it again
//
// h, w, t and l belong to the lease of the session that wrote them, and go with it. <id> is the
// session and the number of the request; it is also the value of the keys of the request.
import type { Asked } from '../engine.js';
import { nameOf, textOf } from '../names.js';
import { endOfPrefix, fromBase64, toBase64 } from './gateway.js';

export class Keys {
  readonly #base: string;

  constructor(namespace: string) {
    this.#base = `holdfast/${escape(namespace)}/`;
  }

  get format(): string {
    return `${this.#base}format`;
  }

  /** All keys of one letter, or those of them that are about one thing. */
  all(letter: 'h' | 'w' | 't' | 'f' | 'r' | 'l', thing?: string): string {
    return `${this.#base}${letter}/${thing === undefined ? '' : `${thing}/`}`;
  }

  theft(resource: string): string {
    return this.all('t') + resource;
  }

  /** The key that says that the request holds. Of a permit it has a slot. */
  hold({ kind, mode, permits }: Asked, resource: string, id: string, slot: number): string {
    const holders = this.all('h', resource);
    if (kind === 'semaphore') return `${this.permitsOf(resource, permits!)}${slot}`;
    return mode === 'exclusive' ? `${holders}x` : `${holders}s/${id}`;
  }

  permitsOf(resource: string, permits: number): string {
    return `${this.all('h', resource)}p/${String(permits).padStart(5, '0')}/`;
  }
}

/** A letter for the kind, and the name without a slash. */
export function resourceOf({ kind, name }: Pick<Asked, 'kind' | 'name'>): string {
  return (kind === 'lock' ? 'l' : 's') + escape(textOf(name));
}

/** A name as it stands in a key. */
export function queueOf(name: string): string {
  return escape(textOf(name));
}

/** The name that queueOf() was given, or resourceOf() behind its letter. */
export function nameOfKey(text: string): string {
  return nameOf(text.replaceAll('%2F', '/').replaceAll('%25', '%'));
}

function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('/', '%2F');
}

/** A key and its value, as etcd returns them. */
export interface Pair {
  readonly key: string;
  readonly value?: string;
  readonly create_revision: string;
  readonly mod_revision: string;
}

export interface Compare {
  readonly target: 'CREATE' | 'VALUE' | 'MOD';
  readonly result: 'EQUAL' | 'GREATER';
  readonly key: string;
  readonly range_end?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly value?: string;
}

/** True if there is no such key. */
export function isMissing(key: string): Compare {
  return { target: 'CREATE', result: 'EQUAL', create_revision: '0', key: toBase64(key) };
}

/** True if no key begins so. */
export function isEmpty(prefix: string): Compare {
  return { ...isMissing(prefix), range_end: endOfPrefix(prefix) };
}

/** True if no key is there from the one to before the other. */
export function isEmptyBetween(first: string, end: string): Compare {
  return { ...isMissing(first), range_end: toBase64(end) };
}

export function hasValue(key: string, value: string): Compare {
  return { target: 'VALUE', result: 'EQUAL', key: toBase64(key), value: toBase64(value) };
}

export function isUnchanged({ key, mod_revision }: Pair): Compare {
  return { target: 'MOD', result: 'EQUAL', key, mod_revision };
}

export function put(key: string, value: string, lease?: string): object {
  const at = { key: toBase64(key), value: toBase64(value) };
  return { request_put: lease === undefined ? at : { ...at, lease } };
}

export function remove(key: string): object {
  return { request_delete_range: { key: toBase64(key) } };
}

export function removeAll(prefix: string): object {
  const range = { key: toBase64(prefix), range_end: endOfPrefix(prefix) };
  return { request_delete_range: range };
}

export function read(key: string): object {
  return { request_range: { key: toBase64(key) } };
}

/** Keys that begin so; `how` are fields of a RangeRequest. */
export function readAll(prefix: string, how: object = {}): object {
  const range = { key: toBase64(prefix), range_end: endOfPrefix(prefix) };
  return { request_range: { ...range, ...how } };
}

/** For readAll(): only the number of the keys. */
export const onlyCount = { count_only: true } as const;
export const onlyKeys = { keys_only: true } as const;
export const oldestFirst = { sort_target: 'CREATE', sort_order: 'ASCEND' } as const;
export const youngestFirst = { sort_target: 'CREATE', sort_order: 'DESCEND' } as const;

/** What a transaction answers. */
export interface TxnAnswer {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly {
    readonly response_range?: { readonly kvs?: readonly Pair[]; readonly count?: string };
  }[];
}

/** What the n-th part of the transaction has read. */
export function pairsOf(answer: TxnAnswer, part: number): readonly Pair[] {
  return answer.responses?.[part]?.response_range?.kvs ?? [];
}

/** How many keys the n-th part of the transaction has found, those over its limit too. */
export function countOf(answer: TxnAnswer, part: number): number {
  return Number(answer.responses?.[part]?.response_range?.count ?? 0);
}

/** The key of a pair as text. */
export function keyOfPair({ key }: Pair): string {
  return fromBase64(key);
}

export function valueOfPair({ value }: Pair): string {
  return fromBase64(value ?? '');
}
