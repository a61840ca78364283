// Finds the waits that can never end in what threads tell of their waits.
//
// A wait is blocked by another one if that one keeps what it needs until it ends itself, or stands
// in front of it in a line. Some waits are a circle if each is blocked within the circle and leads
// to each other one. A wait for a permit is blocked only by all permits together. Every other wait
// is blocked by any one hold that is in its way.
import type { Pin, Told, ToldWait } from './record.js';

export interface Wait {
  readonly thread: Told;
  readonly told: ToldWait;
  readonly blockers: Set<Wait>;
}

interface Kept {
  readonly by: Wait;
  readonly pin: Pin;
}

class Waits {
  readonly all: Wait[] = [];
  readonly #kept = new Map<string, Kept[]>();

  constructor(threads: readonly Told[], countsLoose: boolean) {
    const lines = new Map<string, Wait[]>();
    for (const thread of threads) {
      for (const told of thread.waits) {
        const wait: Wait = { thread, told, blockers: new Set() };
        this.all.push(wait);
        const pins = countsLoose ? thread.held : told.pins;
        for (const pin of pins) listOf(this.#kept, pin.resource).push({ by: wait, pin });
        if (told.need.ticket !== undefined) listOf(lines, told.need.resource).push(wait);
      }
    }
    for (const wait of this.all) this.#findBlockers(wait, lines);
  }

  #findBlockers(wait: Wait, lines: Map<string, Wait[]>): void {
    const { resource, ticket } = wait.told.need;
    for (const kept of this.#kept.get(resource) ?? []) {
      if (isInTheWay(kept, wait)) wait.blockers.add(kept.by);
    }
    if (ticket === undefined) return;
    for (const other of lines.get(resource) ?? []) {
      if (other.told.need.ticket! < ticket) wait.blockers.add(other);
    }
  }

  /** Can it not end before one of the waits in `group` ends? */
  isBlockedBy(group: ReadonlySet<Wait>, { told, blockers }: Wait): boolean {
    if (told.need.how !== 'permit') return [...blockers].some((wait) => group.has(wait));
    const permits = new Set<string>();
    for (const { by, pin } of this.#kept.get(told.need.resource) ?? []) {
      if (group.has(by)) permits.add(`${by.thread.agent} ${pin.hold}`);
    }
    return permits.size >= told.need.permits!;
  }
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function isInTheWay({ by, pin }: Kept, { thread, told }: Wait): boolean {
  const { how, passesClaims } = told.need;
  if (pin.mode === 'exclusive' || how === 'permit') return true;
  if (pin.mode === 'shared') return how === 'exclusive';
  if (passesClaims) return false;
  const isOwn = by.thread.agent === thread.agent;
  return how === 'exclusive' ? !isOwn : !(isOwn && told.isSync);
}

/** The circles among the waits of these threads. No wait is in two of them. */
export function circlesIn(threads: readonly Told[]): Set<Wait>[] {
  return circlesOf(threads, false);
}

/**
 * What would be a circle if each thread kept all that it holds. Circles that are certain are not
 * among them.
 */
export function suspicionsIn(
  threads: readonly Told[],
  certain: readonly Set<Wait>[] = circlesIn(threads),
): Set<Wait>[] {
  const sure = new Set(certain.flatMap((circle) => [...circle].map(({ told }) => told)));
  return circlesOf(threads, true).filter(
    (circle) => ![...circle].some(({ told }) => sure.has(told)),
  );
}

function circlesOf(threads: readonly Told[], countsLoose: boolean): Set<Wait>[] {
  const waits = new Waits(threads, countsLoose);
  const circles: Set<Wait>[] = [];
  const groups = [new Set(waits.all)];
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    const size = group.size;
    removeThoseThatCanEnd(group, waits);
    const parts = connectedParts(group);
    const isWhole = parts.length === 1 && parts[0]!.size === size;
    if (isWhole) circles.push(group);
    else groups.push(...parts);
  }
  return circles;
}

function removeThoseThatCanEnd(group: Set<Wait>, waits: Waits): void {
  for (let before = -1; before !== group.size; ) {
    before = group.size;
    for (const wait of group) if (!waits.isBlockedBy(group, wait)) group.delete(wait);
  }
}

/** Each part: waits that lead to each other. A wait that does not lead to itself is in none. */
function connectedParts(group: ReadonlySet<Wait>): Set<Wait>[] {
  const parts: Set<Wait>[] = [];
  const left = new Set(group);
  for (const wait of left) {
    const ahead = reachedFrom(wait, left);
    const part = new Set([...ahead].filter((other) => reachedFrom(other, ahead).has(wait)));
    left.delete(wait);
    for (const other of part) left.delete(other);
    if (part.size > 0) parts.push(part);
  }
  return parts;
}

/** Does not have `start` itself unless that leads to itself. */
function reachedFrom(start: Wait, within: ReadonlySet<Wait>): Set<Wait> {
  const reached = new Set<Wait>();
  const open = [start];
  for (let wait = open.pop(); wait !== undefined; wait = open.pop()) {
    for (const one of wait.blockers) {
      if (!within.has(one) || reached.has(one)) continue;
      reached.add(one);
      open.push(one);
    }
  }
  return reached;
}

/** Which wait of the circle ends: the youngest that may. Every thread comes to the same answer. */
export function youngestOf(circle: ReadonlySet<Wait>): Wait | undefined {
  let youngest: Wait | undefined;
  for (const wait of circle) {
    if (wait.told.need.mustGoOn) continue;
    if (youngest === undefined || isYounger(wait, youngest)) youngest = wait;
  }
  return youngest;
}

function isYounger(one: Wait, other: Wait): boolean {
  if (one.told.since !== other.told.since) return one.told.since > other.told.since;
  if (one.thread.agent !== other.thread.agent) return one.thread.agent > other.thread.agent;
  return one.told.serial > other.told.serial;
}

/** A shortest way from the wait back to itself. */
export function pathFrom(start: Wait, circle: ReadonlySet<Wait>): Wait[] {
  const cameFrom = new Map<Wait, Wait | undefined>([[start, undefined]]);
  for (const wait of cameFrom.keys()) {
    for (const next of wait.blockers) {
      if (!circle.has(next)) continue;
      if (next === start) return wayTo(wait, cameFrom);
      if (!cameFrom.has(next)) cameFrom.set(next, wait);
    }
  }
  return [start];
}

function wayTo(end: Wait, cameFrom: ReadonlyMap<Wait, Wait | undefined>): Wait[] {
  const way: Wait[] = [];
  for (let wait: Wait | undefined = end; wait !== undefined; wait = cameFrom.get(wait)) {
    way.unshift(wait);
  }
  return way;
}
