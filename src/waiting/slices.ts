// The timer by which this thread looks at its pending waits: each slice, or more seldom while it
// dozes.
import { doze_ms, slice_ms } from '../native/enums.js';
import { once } from '../native/once.js';
import { type Timer, clearInterval, setInterval } from './clock.js';

/**
 * The timer is referenced while a wait is pending, so that the process stays alive exactly as long.
 * It is stopped at the first look without a pending wait, and not earlier: waits often follow each
 * other closely, and making a timer is expensive.
 */
const slices = once('slices', (): { timer: Timer | undefined; ms: number; mayDoze: boolean } => ({
  timer: undefined,
  ms: 0,
  mayDoze: false,
}));

/** Calls `look` each slice. Call this again when something has happened that ends a doze. */
export function lookEachSlice(look: () => void): void {
  slices.mayDoze = false;
  lookEach(slice_ms, look);
}

/**
 * Calls `look` more seldom, if it finds for the second time in a row that this thread may doze: the
 * slice in between is part of the protocol (native/core/registry/dozing.h). `most_ms`: within which
 * it has to look again in any case.
 */
export function lookSeldom(look: () => void, most_ms: number): void {
  if (slices.mayDoze) lookEach(Math.min(doze_ms, Math.max(slice_ms, Math.ceil(most_ms))), look);
  slices.mayDoze = true;
}

/** Does this thread look more seldom than each slice? */
export function isDozing(): boolean {
  return slices.ms > slice_ms;
}

function lookEach(ms: number, look: () => void): void {
  if (slices.timer !== undefined && slices.ms === ms) return;
  clearInterval(slices.timer);
  slices.timer = setInterval(look, ms);
  slices.ms = ms;
}

export function keepAlive(isNeeded: boolean): void {
  if (isNeeded) slices.timer?.ref();
  else slices.timer?.unref();
}

export function lookNoMore(): void {
  clearInterval(slices.timer);
  slices.timer = undefined;
}
