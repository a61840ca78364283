// Random programs that may deadlock, and an oracle that knows which of their waits can never end.
//
// A program has parties in some processes. Each takes some locks one after the other, inside of
// each other. A step is given only when the last one has succeeded or waits, and a party that waits
// is given none. So the oracle knows the state after each step. It lets everybody go on who can: a
// party that has all its locks releases them, and so may one that holds them loosely. Those who are
// still there in the end wait for each other.
import type { Random } from './random.js';

export type Kind = 'Lock' | 'RLock' | 'BoundedSemaphore' | 'ReadWriteLock' | 'LockManager';

export interface Resource {
  readonly kind: Kind;
  readonly name: string;
  /** Of a BoundedSemaphore. */
  readonly permits: number;
}

export interface Step {
  readonly resource: Resource;
  readonly isShared: boolean;
}

/**
 * `task`: holds by callbacks, and so certainly. `loose`: by guards in variables. `blocked`: by
 * guards, in a thread that blocks.
 */
export type Form = 'task' | 'loose' | 'blocked';

export interface Party {
  readonly number: number;
  /** Which process. */
  readonly seat: number;
  readonly form: Form;
  readonly steps: readonly Step[];
}

export interface Program {
  readonly resources: readonly Resource[];
  readonly parties: readonly Party[];
}

const kinds: readonly Kind[] = [
  'Lock',
  'RLock',
  'BoundedSemaphore',
  'ReadWriteLock',
  'LockManager',
];

/** 2 to 6 processes, 2 to 5 locks. With `mayBlock`, half of the processes block. */
export function makeProgram(chance: Random, label: string, mayBlock: boolean): Program {
  const resources = Array.from({ length: chance.whole(2, 5) }, (_, i) => ({
    kind: chance.pick(kinds),
    name: `${label} ${i}`,
    permits: chance.whole(1, 2),
  }));
  const parties: Party[] = [];
  const seats = chance.whole(2, 6);
  for (let seat = 0; seat < seats; seat++) {
    const isBlocked = mayBlock && chance.below(2) === 0;
    const count = isBlocked ? 1 : chance.whole(1, 2);
    for (let i = 0; i < count; i++) {
      const form = isBlocked ? 'blocked' : chance.below(5) === 0 ? 'loose' : 'task';
      parties.push({ number: parties.length, seat, form, steps: stepsOf(chance, form, resources) });
    }
  }
  return { resources, parties };
}

function stepsOf(chance: Random, form: Form, resources: readonly Resource[]): Step[] {
  const able = resources.filter(({ kind }) => {
    if (kind === 'LockManager') return form === 'task';
    return kind !== 'RLock' || form !== 'loose'; // a task's RLock is held certainly
  });
  const order = able.map((resource) => ({ resource, at: chance.next() }));
  order.sort((a, b) => a.at - b.at);
  return order.slice(0, chance.pick([1, 2, 2, 3, 3])).map(({ resource }) => ({
    resource,
    isShared: ['ReadWriteLock', 'LockManager'].includes(resource.kind) && chance.below(2) === 0,
  }));
}

interface Standing {
  readonly party: Party;
  /** What it has taken. */
  held: readonly Step[];
  /** What it waits for. */
  wanted: Step | undefined;
  /** The turn in which it asked for that. */
  asked: number;
}

/** The state of a program, as it must be. */
export class Oracle {
  readonly #standing: Map<Party, Standing>;
  /** Those who have ended, and when. */
  readonly #gone = new Map<Standing, number>();
  #turn = 0;

  constructor({ parties }: Program) {
    const begin = (party: Party): Standing => ({ party, held: [], wanted: undefined, asked: 0 });
    this.#standing = new Map(parties.map((party) => [party, begin(party)]));
  }

  /** The parties that may be given a step. */
  able(): Party[] {
    return [...this.#standing.values()]
      .filter(({ party, held, wanted }) => !wanted && held.length < party.steps.length)
      .filter(({ party, held }) => !this.#wouldBeSecondWriter(party.steps[held.length]!))
      .map(({ party }) => party);
  }

  /** Gives it its next step. True if it has it at once, false if it waits. */
  step(party: Party): boolean {
    const one = this.#standing.get(party)!;
    one.wanted = party.steps[one.held.length]!;
    one.asked = ++this.#turn;
    if (!canGoOn(one, [...this.#standing.values()])) return false;
    one.held = [...one.held, one.wanted];
    one.wanted = undefined;
    return true;
  }

  isWaiting(party: Party): boolean {
    return this.#standing.get(party)?.wanted !== undefined;
  }

  /** It has ended, or its process has died. */
  remove(party: Party, at: number): void {
    this.#gone.set(this.#standing.get(party)!, at);
    this.#standing.delete(party);
  }

  /**
   * The parties whose waits certainly wait for each other. `at`: as it was right before that time.
   * What ended then or later was still there, although it may have been heard of by now.
   */
  stuck(at = Infinity): Party[] {
    const rest = this.#rest(at);
    return rest.filter((one) => leadsToItself(one, rest)).map(({ party }) => party);
  }

  /** Who of two writers that wait is next is left to chance, so there is one at a time. */
  #wouldBeSecondWriter({ resource, isShared }: Step): boolean {
    if (resource.kind !== 'ReadWriteLock' || isShared) return false;
    return [...this.#standing.values()].some(
      ({ wanted }) => wanted?.resource === resource && !wanted.isShared,
    );
  }

  /** Those who are left when everybody has gone on who can. */
  #rest(at: number): Standing[] {
    const gone = [...this.#gone].filter(([, ended]) => ended >= at).map(([one]) => one);
    let rest = [...this.#standing.values(), ...gone].map((one) => ({
      ...one,
      held: one.party.form === 'loose' ? [] : one.held,
    }));
    for (let before = -1; before !== rest.length; ) {
      before = rest.length;
      const present = rest;
      rest = rest.filter((one) => !canGoOn(one, present));
    }
    return rest;
  }
}

function holds({ held }: Standing, resource: Resource): Step[] {
  return held.filter((step) => step.resource === resource);
}

function canGoOn(one: Standing, all: readonly Standing[]): boolean {
  if (one.wanted === undefined) return true;
  const { resource } = one.wanted;
  const others = all.filter((other) => other !== one);
  if (resource.kind === 'BoundedSemaphore') {
    return others.flatMap((other) => holds(other, resource)).length < resource.permits;
  }
  return !others.some((other) => isInTheWay(other, one));
}

function isInTheWay(other: Standing, one: Standing): boolean {
  if (one.wanted === undefined || other === one) return false;
  const { resource, isShared } = one.wanted;
  if (holds(other, resource).some((held) => !isShared || !held.isShared)) return true;
  if (other.wanted?.resource !== resource) return false;
  // Who came first is served first; a reader waits behind a writer.
  if (resource.kind === 'LockManager') return other.asked < one.asked;
  return resource.kind === 'ReadWriteLock' && isShared && !other.wanted.isShared;
}

function leadsToItself(start: Standing, all: readonly Standing[]): boolean {
  const open = [start];
  const seen = new Set<Standing>();
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const other of all) {
      if (!isInTheWay(other, one)) continue;
      if (other === start) return true;
      if (seen.has(other)) continue;
      seen.add(other);
      open.push(other);
    }
  }
  return false;
}
