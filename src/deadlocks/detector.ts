// Looks for deadlocks in which waits of this thread take part, and ends them.
//
//   1  A wait that has lasted for a second is told to all (told.ts, record.ts): what it needs and
//      what it pins. A wait of a thread that holds nothing blocks nobody and is not told. Each two
//      slices everything is told anew, with a higher version.
//   2  The thread that has told reads what all tell, and looks for circles (circles.ts).
//   3  Each thread of the circle notes all versions. It looks again each two slices. When all
//      threads of the circle have told the same twice after the note, then all waits and all holds
//      of the circle were there at the instant of the note: what was told second was looked at
//      after it. What was told first may have been looked at before. A circle stays, so this is a
//      deadlock (INV-27). A circle that is left of a larger one was there at its note, too.
//   4  The youngest wait of the circle is to end. With the directory locked, if nobody in the
//      circle tells anything else by now, its thread tells its waits without it, and ends it with
//      DeadlockError. Two threads that want to end waits of one circle come one after the other,
//      and the second finds news.
//
// A thread that is dead or stopped tells nothing new, so no circle with it is ever taken for a
// deadlock. docs/adr/0065-deadlocks.md says why this is enough.
import { deadlockChannel, publishDeadlock } from '../channels.js';
import { DeadlockError, label } from '../errors.js';
import { slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { now } from '../waiting/clock.js';
import { type Wait, circlesIn, suspicionsIn, youngestOf } from './circles.js';
import { hear } from './hear.js';
import type { Told } from './record.js';
import { type LongWait, takeBackIfUnchanged, tell, tellsWaits } from './told.js';
import { toCycle, toWords } from './words.js';

/** How long a wait lasts before it is told. */
export const patience_ms = 1000;
/** From one look to the next. */
const between_ms = 2 * slice_ms;

/** A circle with a wait of this thread, as it was noted. */
interface Suspect {
  /** What its waits are known by. */
  readonly keys: ReadonlySet<string>;
  /** By agent. */
  readonly versions: ReadonlyMap<string, number>;
}

/** A circle that is a deadlock, unless somebody tells anything else by now. */
interface Deadlock {
  readonly youngest: Wait;
  readonly circle: ReadonlySet<Wait>;
}

const state = once('deadlocks', () => ({
  next: 0,
  /** The last look has asked all waits that began by then. */
  askedUntil: -Infinity,
  suspects: [] as readonly Suspect[],
  /** The suspicions of which the channel has heard. */
  published: new Set<string>(),
  /** Where the waits of this thread are known. They come with the oldest first. */
  sources: new Map<string, (begunBefore: number) => Iterable<LongWait>>(),
}));

export function addWaits(name: string, list: (begunBefore: number) => Iterable<LongWait>): void {
  state.sources.set(name, list);
}

/** Has a look asked the wait that began then what it needs? If not, it is not told yet. */
export function isAsked(begun: number): boolean {
  return begun <= state.askedUntil;
}

/**
 * To be called once a slice while something waits. `blocked` is the wait that blocks the thread.
 * Runs no code of the user.
 */
export function lookForDeadlocks(blocked?: LongWait): void {
  const at = now();
  if (at < state.next) return;
  state.askedUntil = at - patience_ms;
  const waits = longWaits(state.askedUntil, blocked);
  if (waits.length === 0 && !tellsWaits()) return;
  state.next = at + between_ms;
  if (!tell(waits) || !tellsWaits()) state.suspects = [];
  else look();
}

function longWaits(begunBefore: number, blocked: LongWait | undefined): LongWait[] {
  const waits: LongWait[] = [];
  if (blocked !== undefined && blocked.begun <= begunBefore) waits.push(blocked);
  for (const list of state.sources.values()) for (const wait of list(begunBefore)) waits.push(wait);
  return waits;
}

function look(): void {
  const me = addon.agentId();
  const { threads, texts } = hear();
  const circles = circlesIn(threads);
  const suspects: Suspect[] = [];
  const deadlocks: Deadlock[] = [];
  // Of all circles that are new here: read once they have all been seen.
  let noted: Suspect['versions'] | undefined;
  for (const circle of circles) {
    if (![...circle].some(({ thread }) => thread.agent === me)) continue;
    const keys = new Set([...circle].map(keyOf));
    const versions = versionsBefore(keys) ?? (noted ??= versionsOf(hear().threads));
    // Who wrote just then was not heard. The circle is noted at the next look.
    if (!isNoted(circle, versions)) continue;
    suspects.push({ keys, versions });
    const youngest = youngestOf(circle);
    if (youngest?.thread.agent !== me || !isToldTwice(circle, versions)) continue;
    deadlocks.push({ youngest, circle });
  }
  state.suspects = suspects;
  for (const among of byThreads(deadlocks)) end(among, me, texts);
  if (deadlockChannel.hasSubscribers) publishSuspicions(threads, circles, me);
}

/** Those whose youngest wait is of this thread, each once. What is certain is no suspicion. */
function publishSuspicions(threads: readonly Told[], circles: Set<Wait>[], me: string): void {
  const published = state.published;
  state.published = new Set();
  for (const circle of suspicionsIn(threads, circles)) {
    const youngest = youngestOf(circle);
    if (youngest?.thread.agent !== me) continue;
    const key = [...circle].map(keyOf).toSorted().join('\n');
    state.published.add(key);
    if (published.has(key)) continue;
    publishDeadlock({ certain: false, cycle: toCycle(youngest, circle) });
  }
}

/** The same for the same wait with the same holds. */
function keyOf({ thread, told }: Wait): string {
  return JSON.stringify([thread.agent, told.serial, told.pins]);
}

/** What was noted of a circle with all these waits: when another one ends, a circle may be left. */
function versionsBefore(keys: ReadonlySet<string>): Suspect['versions'] | undefined {
  return state.suspects.find((suspect) => [...keys].every((key) => suspect.keys.has(key)))
    ?.versions;
}

function versionsOf(threads: readonly Told[]): Suspect['versions'] {
  return new Map(threads.map(({ agent, version }) => [agent, version]));
}

function isNoted(circle: ReadonlySet<Wait>, versions: Suspect['versions']): boolean {
  for (const { thread } of circle) if (!versions.has(thread.agent)) return false;
  return true;
}

function isToldTwice(circle: ReadonlySet<Wait>, versions: Suspect['versions']): boolean {
  for (const { thread } of circle) {
    if (thread.version < versions.get(thread.agent)! + 2) return false;
  }
  return true;
}

// ---------------------------------------------------------------- ending

/** Deadlocks of the same threads come together: they need one exchange. */
function byThreads(deadlocks: readonly Deadlock[]): Iterable<Deadlock[]> {
  const groups = new Map<string, Deadlock[]>();
  for (const deadlock of deadlocks) {
    const key = [...agentsOf(deadlock)].toSorted().join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [deadlock]);
    else group.push(deadlock);
  }
  return groups.values();
}

function agentsOf({ circle }: Deadlock): Set<string> {
  return new Set([...circle].map(({ thread }) => thread.agent));
}

function end(deadlocks: readonly Deadlock[], me: string, texts: ReadonlyMap<string, string>): void {
  const heard: string[] = [];
  for (const agent of agentsOf(deadlocks[0]!)) {
    if (agent !== me) heard.push(agent, texts.get(agent)!);
  }
  const serials = new Set(deadlocks.map(({ youngest }) => youngest.told.serial));
  const ended = takeBackIfUnchanged(serials, heard);
  if (ended === undefined) return;
  for (const { youngest, circle } of deadlocks) {
    const wait = ended.get(youngest.told.serial);
    if (wait === undefined) continue; // it has ended since it was told
    const error = errorOf(youngest, circle);
    publishDeadlock({ certain: true, cycle: error.cycle });
    wait.fail(error);
  }
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
