// The clock and the timers as they were when this module was loaded.
//
// Programs replace the global ones. The fake timers of test runners stand still until the test
// moves them, and those of jsdom return numbers. A wait for another process must not depend on
// that. Programs may also replace the functions in node:timers and node:perf_hooks. So this module
// keeps the functions that it found when it was loaded.
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

// oxlint-disable-next-line no-restricted-globals -- as it was when this module was loaded
const { now: currentDate } = Date;
const { hrtime } = process;

/** Milliseconds on the wall clock, which goes on while the machine is suspended. Can be set. */
export function wallNow(): number {
  return currentDate();
}

/** Milliseconds on the monotonic clock of the machine, which all processes share. */
export function machineTime(): number {
  const [seconds, nanoseconds] = hrtime.call(process);
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Calls back once, after so many milliseconds and never earlier, unless it is cancelled. */
export class Alarm {
  #timer: Timer;

  constructor(ms: number, onEnd: () => void) {
    const deadline = now() + ms;
    const onTimer = () => {
      const left = deadline - now();
      // A timer of Node may fire early: it counts whole milliseconds of a clock that is read only
      // now and then.
      if (left > 0) this.#timer = setTimeout(onTimer, Math.ceil(left));
      else onEnd();
    };
    this.#timer = setTimeout(onTimer, Math.ceil(ms));
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
