// Looks for deadlocks in which waits of this thread take part, and ends them.
//
//   1  A wait that has lasted for a second is told to all (record.ts): what it needs and what it
//      pins. A wait of a thread that holds nothing blocks nobody and is not told. Each two slices
//      everything is told anew, with a higher version.
//   2  The thread that has told reads what all tell, and looks for circles (circles.ts). The
//      youngest wait of a circle is to end; only its own thread goes on.
//   3  That thread notes all versions. It looks again each two slices. When all threads of the
//      circle have told the same again, with versions after those noted, then all waits and all
//      holds of the circle were there at the instant of the note. A circle stays, so this is a
//      deadlock (INV-27).
//   4  With the directory locked, if nobody in the circle tells anything else by now, the thread
//      tells its waits without the youngest one, and ends that with DeadlockError. Two threads
//      that want to end waits of one circle come one after the other, and the second finds news.
//
// A thread that is dead or stopped tells nothing new, so no circle with it is ever taken for a
// deadlock. docs/adr/0065-deadlocks.md says why this is enough.
import { deadlockChannel, publishDeadlock } from '../channels.js';
import { DeadlockError, label } from '../errors.js';
import type { Holdings } from '../holds/context.js';
import { slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { machineTime, now } from '../waiting/clock.js';
import { type Wait, circlesIn, suspicionsIn, youngestOf } from './circles.js';
import { hear } from './hear.js';
import { HeldByThread } from './pins.js';
import { type Need, type Pin, type Told, type ToldWait, toText } from './record.js';
import { toCycle, toWords } from './words.js';

/** How long a wait lasts before it is told. */
const patience_ms = 1000;
/** From one look to the next. */
const between_ms = 2 * slice_ms;
/** Waits that a thread tells: the oldest. */
const mostTold = 1000;
/** Those of them that pin nothing, and so can only be part of a suspicion. */
const mostLoose = 16;

/** A wait of this thread. */
export interface LongWait {
  /** When it began, by now(). */
  readonly begun: number;
  readonly isSync: boolean;
  /** The async context in which it began. */
  readonly holdings: Holdings | undefined;
  /** Undefined if it takes no part. */
  need(): Need | undefined;
  /** Ends it. */
  fail(error: DeadlockError): void;
}

/** A circle whose youngest wait is of this thread, seen once. */
interface Suspect {
  /** By agent. */
  readonly versions: ReadonlyMap<string, number>;
}

const state = once('deadlocks', () => ({
  next: 0,
  lastSerial: 0,
  /** What is told now. */
  told: new Map<LongWait, ToldWait>(),
  held: [] as readonly Pin[],
  /** By what they consist of. */
  suspects: new Map<string, Suspect>(),
  /** The suspicions of which the channel has heard. */
  published: new Set<string>(),
  /** Where the waits of this thread are known. They come with the oldest first. */
  sources: new Map<string, (begunBefore: number) => Iterable<LongWait>>(),
}));

export function addWaits(name: string, list: (begunBefore: number) => Iterable<LongWait>): void {
  state.sources.set(name, list);
}

/**
 * To be called once a slice while something waits. `blocked` is the wait that blocks the thread.
 * Runs no code of the user.
 */
export function lookForDeadlocks(blocked?: LongWait): void {
  const at = now();
  if (at < state.next) return;
  state.next = at + between_ms;
  const waits = longWaits(at - patience_ms, blocked);
  if (waits.length === 0 && state.told.size === 0) return;
  if (!tell(waits) || state.told.size === 0) state.suspects.clear();
  else look();
}

/** Has this thread told a wait? Then it has to look, and to tell anew, each two slices. */
export function tellsWaits(): boolean {
  return state.told.size > 0;
}

/** A wait has ended. If it was told, that is taken back. */
export function waitEnded(wait: LongWait): void {
  if (!state.told.delete(wait)) return;
  tell([...state.told.keys()]);
}

function longWaits(begunBefore: number, blocked: LongWait | undefined): LongWait[] {
  const waits: LongWait[] = [];
  if (blocked !== undefined && blocked.begun <= begunBefore) waits.push(blocked);
  for (const list of state.sources.values()) waits.push(...list(begunBefore));
  return waits;
}

// ---------------------------------------------------------------- telling

/** False if it could not be written. */
function tell(waits: readonly LongWait[]): boolean {
  const held = waits.length > 0 ? new HeldByThread() : undefined;
  const told = new Map<LongWait, ToldWait>();
  let loose = 0;
  for (const wait of waits) {
    if (told.size === mostTold) break;
    const one = describe(wait, held!);
    if (one === undefined) continue;
    const isLoose = one.pins.length === 0 && one.need.ticket === undefined;
    if (isLoose && ++loose > mostLoose) continue;
    told.set(wait, one);
  }
  state.told = told;
  state.held = held?.all ?? [];
  return addon.tellWaits(textOf(told));
}

function textOf(told: ReadonlyMap<LongWait, ToldWait>): string {
  return told.size === 0 ? '' : toText([...told.values()], state.held);
}

/** Undefined if the wait blocks nobody. */
function describe(wait: LongWait, held: HeldByThread): ToldWait | undefined {
  const need = wait.need();
  if (need === undefined) return undefined;
  const { isSync, holdings } = wait;
  const pins = isSync ? held.all : held.pinsOf(need, holdings);
  if (held.all.length === 0 && need.ticket === undefined) return undefined;
  const before = state.told.get(wait);
  const serial = before?.serial ?? ++state.lastSerial;
  const since = before?.since ?? machineTime() - (now() - wait.begun);
  return { serial, since, isSync, need, pins };
}

// ---------------------------------------------------------------- looking

function look(): void {
  const me = addon.agentId();
  const { threads, texts } = hear();
  const before = state.suspects;
  state.suspects = new Map();
  const circles = circlesIn(threads);
  for (const circle of circles) {
    const youngest = youngestOf(circle);
    if (youngest?.thread.agent !== me) continue;
    const key = keyOf(circle);
    const suspect = before.get(key) ?? { versions: versionsOf(hear().threads) };
    if (isToldAnew(circle, suspect)) end(youngest, circle, texts);
    else state.suspects.set(key, suspect);
  }
  if (deadlockChannel.hasSubscribers) publishSuspicions(threads, circles, me);
}

/** Those whose youngest wait is of this thread, each once. What is certain is no suspicion. */
function publishSuspicions(threads: readonly Told[], circles: Set<Wait>[], me: string): void {
  const published = state.published;
  state.published = new Set();
  for (const circle of suspicionsIn(threads, circles)) {
    const youngest = youngestOf(circle);
    if (youngest?.thread.agent !== me) continue;
    const key = keyOf(circle);
    state.published.add(key);
    if (published.has(key)) continue;
    publishDeadlock({ certain: false, cycle: toCycle(youngest, circle) });
  }
}

/** The same for the same waits with the same holds. */
function keyOf(circle: ReadonlySet<Wait>): string {
  return [...circle]
    .map(({ thread, told }) => JSON.stringify([thread.agent, told.serial, told.pins]))
    .toSorted()
    .join('\n');
}

function versionsOf(threads: readonly Told[]): Map<string, number> {
  return new Map(threads.map(({ agent, version }) => [agent, version]));
}

function isToldAnew(circle: ReadonlySet<Wait>, { versions }: Suspect): boolean {
  for (const { thread } of circle) {
    if (!(thread.version > (versions.get(thread.agent) ?? Infinity))) return false;
  }
  return true;
}

// ---------------------------------------------------------------- ending

function end(youngest: Wait, circle: ReadonlySet<Wait>, texts: ReadonlyMap<string, string>): void {
  const rest = new Map(state.told);
  const wait = [...rest.keys()].find((one) => rest.get(one)!.serial === youngest.told.serial)!;
  rest.delete(wait);
  const seen: string[] = [];
  for (const agent of new Set([...circle].map(({ thread }) => thread.agent))) {
    if (agent !== youngest.thread.agent) seen.push(agent, texts.get(agent)!);
  }
  if (!addon.tellWaitsIfUnchanged(seen, textOf(rest))) return;
  state.told = rest;
  const error = errorOf(youngest, circle);
  publishDeadlock({ certain: true, cycle: error.cycle });
  wait.fail(error);
}

function errorOf(youngest: Wait, circle: ReadonlySet<Wait>): DeadlockError {
  const cycle = toCycle(youngest, circle);
  const { kind, name } = youngest.told.need;
  return new DeadlockError(`${label(kind, name)}: a deadlock: ${toWords(cycle)}`, {
    kind,
    objectName: name,
    cycle,
  });
}
