// What a wait pins: what its waiter certainly holds until the wait ends.
//
//   a blocked thread    all that it holds. Nothing of the thread runs, so nothing can be released.
//   a wait of a task    what the callbacks around it hold (runExclusive() and its like, a task's
//                       RLock), because they end after it; and what acquireAll() and acquire(n)
//                       have gathered. A guard in a variable is not among that: other code of the
//                       thread may release it at any time.
//   the command itself  of `holdfast run A -- holdfast run B -- work`: its own end (command.ts).
//
// What another thread has released meanwhile is asked of the addon at each look.
import type { HeldHere, Holdings } from '../holds/context.js';
import { holdsIn } from '../holds/nested.js';
import { holdModes } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { commandHere } from './command.js';
import type { Need, Pin } from './record.js';

export function resourceOf(tag: number, lock?: string): string {
  return lock === undefined ? String(tag) : `${tag} ${lock}`;
}

/** Where else holds of this thread are known: the locks of its LockManagers. */
const elsewhere = once('holds elsewhere', () => new Map<string, () => Iterable<Pin>>());

export function addHolds(name: string, list: () => Iterable<Pin>): void {
  elsewhere.set(name, list);
}

const modeNames = ['exclusive', 'shared', 'claim'] as const;

/** What a wait of a task keeps: see LongWait. */
interface Kept {
  readonly holdings: Holdings | undefined;
  readonly gathered?: (() => readonly HeldHere[]) | undefined;
}

/** All that this thread holds now. */
export class HeldByThread {
  readonly #pins: Pin[] = [];
  readonly #holds = new Set<string>();
  readonly #claims = new Map<string, Pin>();

  constructor(isBlocked: boolean) {
    const row = addon.heldHere();
    for (let i = 0; i < row.length; i += 3) {
      const [tag, hold, mode] = row.slice(i, i + 3) as [number, number, number];
      this.#add({ resource: resourceOf(tag), hold, mode: modeNames[mode]! });
    }
    for (const list of elsewhere.values()) for (const pin of list()) this.#add(pin);
    for (const pin of commandHere(isBlocked)) this.#add(pin);
  }

  /** Of a thread that is blocked. */
  get all(): readonly Pin[] {
    return this.#pins;
  }

  /** Of a wait of a task. */
  pinsOf(need: Need, { holdings, gathered }: Kept): Pin[] {
    // The hold of a task may be in its context, and gathered as well.
    const pins = new Map<string, Pin>();
    const add = (held: HeldHere | undefined) => {
      if (held === undefined || held.isLoose || held.isReleased()) return;
      const resource = resourceOf(held.tag, held.lock);
      const pin: Pin = { resource, hold: held.hold, mode: held.isShared ? 'shared' : 'exclusive' };
      const key = keyOf(pin);
      if (this.#holds.has(key)) pins.set(key, pin);
    };
    for (const { isOver, held } of holdsIn(holdings)) if (!isOver) add(held);
    for (const held of gathered?.() ?? []) add(held);
    if (need.how === 'exclusive' && !need.passesClaims) {
      const claim = this.#claims.get(need.resource);
      if (claim !== undefined) pins.set(keyOf(claim), claim);
    }
    return [...pins.values()];
  }

  #add(pin: Pin): void {
    const key = keyOf(pin);
    if (this.#holds.has(key)) return;
    this.#holds.add(key);
    this.#pins.push(pin);
    if (pin.mode === modeNames[holdModes.claim]) this.#claims.set(pin.resource, pin);
  }
}

function keyOf({ resource, hold, mode }: Pin): string {
  return `${hold} ${mode} ${resource}`;
}
