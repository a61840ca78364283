// The clock and the timers, as they are when this module loads.
//
// Programs replace the global ones: fake timers of test runners stand still until the test moves
// them, and those of jsdom return numbers. A wait for another process must not depend on that. The
// replacements reach node:timers and node:perf_hooks as well, so what counts is the functions that
// those held at the start, and not their current ones.
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';

/** A timer of Node, which can be referenced and unreferenced. */
export type Timer = NodeJS.Timeout;

export const { setTimeout, clearTimeout, setInterval, clearInterval } = timers;

const { now: currentTime } = performance;

/** Milliseconds on a clock that nobody sets. */
export function now(): number {
  return currentTime.call(performance);
}
