// What this thread tells of its long waits, and when it takes that back.
//
//   a look       Each two slices the thread tells all anew, with a higher version. It asks each
//                wait what it needs and what it pins, so a higher version is news.
//   it fails     A wait that ends by a timeout, an abort or a DeadlockError is taken out of the
//                text before the code that awaits it goes on: what stood in a circle with it is in
//                none any more. All that fail in one turn are taken out together. Nothing else is
//                asked anew, so the version stays.
//   it acquires  The wait stays in the text until the next look. So a thread with a thousand long
//                waits does not write a thousand texts of them. Only the last wait takes the text
//                along, because no look may follow.
//
// Why a wait that has acquired does no harm there. A wait ends by a DeadlockError only if all waits
// of a circle were told before one instant, and by a look that began after it. So at that instant
// none of them had acquired, and afterwards none can: each waits for the others. docs/adr/0065
// has the interleavings, and what may still break a circle from outside.
import { waitRecordMax } from '../native/enums.js';
import type { DeadlockError } from '../errors.js';
import type { HeldHere, Holdings } from '../holds/context.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { machineTime, now } from '../waiting/clock.js';
import { HeldByThread } from './pins.js';
import { type Need, type ToldWait, joinText } from './record.js';

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
  /** What its caller has acquired for it, and keeps until it ends. */
  readonly gathered?: (() => readonly HeldHere[]) | undefined;
  /** Undefined if it takes no part. */
  need(): Need | undefined;
  /** Ends it. */
  fail(error: DeadlockError): void;
}

interface Entry {
  readonly serial: number;
  readonly since: number;
  readonly text: string;
}

const state = once('told waits', () => ({
  lastSerial: 0,
  /** The waits that are told and have not ended. */
  told: new Map<LongWait, Entry>(),
  /** All that the thread holds, as it is told. */
  held: '[]',
  /** Is a wait in the text that has ended? */
  hasEnded: false,
  /** Does a microtask take it out? */
  isTakenBackSoon: false,
}));

/** Has this thread told a wait? Then it has to look, and to tell anew, each two slices. */
export function tellsWaits(): boolean {
  return state.told.size > 0;
}

/** A wait has acquired what it waited for. */
export function waitAcquired(wait: LongWait): void {
  if (state.told.size === 0 || !state.told.delete(wait)) return;
  state.hasEnded = true;
  if (state.told.size === 0) takeBackEnded();
}

/** A wait has ended in another way. */
export function waitFailed(wait: LongWait): void {
  if (state.told.size === 0 || !state.told.delete(wait)) return;
  state.hasEnded = true;
  if (wait.isSync) takeBackEnded();
  else takeBackSoon();
}

/** The promise of the wait is rejected after this call, so what awaits it comes later. */
function takeBackSoon(): void {
  if (state.isTakenBackSoon) return;
  state.isTakenBackSoon = true;
  void Promise.resolve().then(() => {
    state.isTakenBackSoon = false;
    takeBackEnded();
  });
}

/** For those who show what is told: this thread shows no wait of its own that has ended. */
export function takeBackEnded(): void {
  if (!state.hasEnded) return;
  state.hasEnded = false;
  addon.takeBackWaits(text([...state.told.values()]));
}

/** Tells these waits, the oldest first, as if there were no others. False if it could not. */
export function tell(waits: readonly LongWait[]): boolean {
  const isBlocked = waits.some(({ isSync }) => isSync);
  const held = waits.length > 0 ? new HeldByThread(isBlocked) : undefined;
  state.held = JSON.stringify(held?.all ?? []);
  // Only suspicions need it.
  if (state.held.length > waitRecordMax / 2) state.held = '[]';
  const told = new Map<LongWait, Entry>();
  let left = waitRecordMax - Buffer.byteLength(joinText([], state.held));
  let loose = 0;
  for (const wait of waits) {
    const one = describe(wait, held!);
    if (one === undefined) continue;
    const isLoose = one.pins.length === 0 && one.need.ticket === undefined;
    if (isLoose && ++loose > mostLoose) continue;
    const entry = { serial: one.serial, since: one.since, text: JSON.stringify(one) };
    left -= Buffer.byteLength(entry.text) + 1;
    if (left < 0 || told.size === mostTold) break;
    told.set(wait, entry);
  }
  state.told = told;
  state.hasEnded = false;
  return addon.tellWaits(text([...told.values()]));
}

function text(entries: readonly Entry[]): string {
  if (entries.length === 0) return '';
  const waits = entries.map((entry) => entry.text);
  return joinText(waits, state.held);
}

/** Undefined if the wait blocks nobody. */
function describe(wait: LongWait, held: HeldByThread): ToldWait | undefined {
  const need = wait.need();
  if (need === undefined) return undefined;
  const pins = wait.isSync ? held.all : held.pinsOf(need, wait);
  if (held.all.length === 0 && need.ticket === undefined) return undefined;
  const before = state.told.get(wait);
  const serial = before?.serial ?? ++state.lastSerial;
  const since = before?.since ?? machineTime() - (now() - wait.begun);
  return { serial, since, isSync: wait.isSync, need, pins };
}

/**
 * Takes the waits with these serial numbers back, if `heard` is still told: agents and their texts,
 * all in a row. Returns those waits, or undefined if something has changed.
 */
export function takeBackIfUnchanged(
  serials: ReadonlySet<number>,
  heard: string[],
): Map<number, LongWait> | undefined {
  const found = new Map<number, LongWait>();
  const rest: Entry[] = [];
  for (const [wait, entry] of state.told) {
    if (serials.has(entry.serial)) found.set(entry.serial, wait);
    else rest.push(entry);
  }
  if (!addon.tellWaitsIfUnchanged(heard, text(rest))) return undefined;
  state.hasEnded = false;
  for (const wait of found.values()) state.told.delete(wait);
  return found;
}
