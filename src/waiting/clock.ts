// The clock and the timers, as they are when this module loads.
//
// Programs replace the global ones: fake timers of test runners stand still until the test moves
// them, and those of jsdom return numbers. A wait for another process must not depend on that. The
// programs may replace the functions in node:timers and node:perf_hooks, too. So this module keeps
// the functions that were there when it was loaded.
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';

/** A timer of Node, which can be referenced and unreferenced. */
export type Timer = NodeJS.Timeout;

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = timers;

const { now: currentTime } = performance;

/** Milliseconds on the monotonic clock. */
export function now(): number {
  return currentTime.call(performance);
}
