// Who waits for whom, as far as it can be seen from outside.
//
// An agent (one JS thread) waits for an object; the object is held by agents. The graph has an edge
// from a waiter to each holder that is in its way. A cycle of such edges may be a deadlock. It need
// not be one: an async task that waits does not keep the other tasks of its thread from letting go
// of what the thread holds. So a cycle here is a suspicion, and never more.
import type { DeadlockedWait } from '../errors.js';
import type { ThreadFacts } from '../identity.js';
import type { Party } from '../objects/listing.js';
import type { Seen } from './snapshot.js';

/** A thread, as the graph has it. */
export interface Agent {
  /** Unique in the graph. */
  readonly id: string;
  readonly pid: number;
  readonly threadId: number;
  readonly processName: string;
}

/** An object that is waited for. */
export interface Resource {
  /** Unique in the graph. */
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  /** Milliseconds, or null if that is not known. */
  readonly heldFor: number | null;
}

export interface Wait {
  readonly waiter: Agent;
  readonly resource: Resource;
  readonly how: Party['how'];
  readonly count: number;
  /** Milliseconds of the longest wait for the object; null if that is not known. */
  readonly longestWait: number | null;
  /** The agents in the way. Empty: it waits for what nobody holds, such as an item. */
  readonly holders: readonly Agent[];
}

/** Agents that each wait for the next one, the last for the first. */
export interface Suspicion {
  readonly waits: readonly Wait[];
}

export interface Graph {
  readonly waits: readonly Wait[];
  readonly suspicions: readonly Suspicion[];
}

interface Waited {
  readonly resource: Resource;
  readonly holders: readonly Party[];
  readonly waiters: readonly Party[];
  readonly longestWait: number | null;
}

function waited(seen: readonly Seen[]): Waited[] {
  const all: Waited[] = [];
  for (const { kind, name, state, locks } of seen) {
    const id = `${kind} ${name}`;
    if (state) {
      const { holders, waiters, heldFor, longestWait } = state;
      all.push({ resource: { id, kind, name, heldFor }, holders, waiters, longestWait });
    }
    for (const lock of locks ?? []) {
      const resource = {
        id: `${id}\0${lock.name}`,
        kind: `${kind} ${name}`,
        name: lock.name,
        heldFor: null,
      };
      all.push({ resource, holders: lock.holders, waiters: lock.waiters, longestWait: null });
    }
  }
  return all;
}

/** Is this holder in the way of this waiter? Those who share stand in nobody's way who shares. */
function isInTheWay(holder: Party, waiter: Party): boolean {
  if (waiter.how === 'shared') return holder.how === 'exclusive';
  return waiter.how === 'exclusive' || waiter.how === 'permit';
}

function agentOf({ pid, threadId, processName }: ThreadFacts): Agent {
  // Processes of two hosts may have one pid.
  return { id: `${pid}:${threadId} ${processName}`, pid, threadId, processName };
}

/** A circle of which threads themselves tell. */
export function suspicionOf(cycle: readonly DeadlockedWait[]): Suspicion {
  const waits = cycle.map((wait): Wait => {
    const { kind, name, how, waitedFor, heldBy } = wait;
    const resource = { id: `${kind} ${name}`, kind, name, heldFor: null };
    const holders = heldBy.map(agentOf);
    return { waiter: agentOf(wait), resource, how, count: 1, longestWait: waitedFor, holders };
  });
  return { waits };
}

export function graphOf(seen: readonly Seen[]): Graph {
  const waits: Wait[] = [];
  for (const { resource, holders, waiters, longestWait } of waited(seen)) {
    for (const waiter of waiters) {
      const inTheWay = holders.filter((holder) => isInTheWay(holder, waiter)).map(agentOf);
      const { how, count } = waiter;
      const agent = agentOf(waiter);
      waits.push({ waiter: agent, resource, how, count, longestWait, holders: inTheWay });
    }
  }
  waits.sort((a, b) => (b.longestWait ?? 0) - (a.longestWait ?? 0));
  return { waits, suspicions: suspicionsIn(waits) };
}

/** One cycle through each agent that is in one; a cycle is reported once. */
function suspicionsIn(waits: readonly Wait[]): Suspicion[] {
  const found = new Map<string, Suspicion>();
  const done = new Set<string>();
  for (const { waiter } of waits) {
    if (done.has(waiter.id)) continue;
    const cycle = cycleThrough(waiter, waits);
    if (cycle === undefined) continue;
    for (const wait of cycle) done.add(wait.waiter.id);
    const key = cycle
      .map((wait) => `${wait.waiter.id} ${wait.resource.id}`)
      .toSorted()
      .join('\n');
    found.set(key, { waits: cycle });
  }
  return [...found.values()];
}

/** The shortest way from the agent back to itself. */
function cycleThrough(start: Agent, waits: readonly Wait[]): Wait[] | undefined {
  const paths: { at: Agent; path: Wait[] }[] = [{ at: start, path: [] }];
  const seen = new Set<string>();
  for (let next = paths.shift(); next !== undefined; next = paths.shift()) {
    for (const wait of waits) {
      if (wait.waiter.id !== next.at.id) continue;
      for (const holder of wait.holders) {
        const path = [...next.path, wait];
        if (holder.id === start.id) return path;
        if (seen.has(holder.id)) continue;
        seen.add(holder.id);
        paths.push({ at: holder, path });
      }
    }
  }
  return undefined;
}
