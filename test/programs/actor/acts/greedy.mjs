// Greedy ones: they take the object again as soon as they have let it go, or what is in it.
import { now } from '../../clock.mjs';

/**
 * Acquires, holds for `hold_ms` and releases, over and over, until the first word is not 0. The
 * second word counts the acquisitions. The thread is blocked all that time.
 */
export function takeAgainAndAgain({ object, method, words, hold_ms, most }) {
  const [stop, count] = [0, 1];
  const view = new Int32Array(words.buffer);
  while (Atomics.load(view, stop) === 0 && Atomics.load(view, count) < most) {
    const guard = object[method]();
    Atomics.add(view, count, 1);
    const end = now() + hold_ms;
    while (now() < end);
    if (guard === undefined) object.release();
    else guard.release();
  }
}

/**
 * Calls a method that may wait, over and over, until the first word is not 0. The second word
 * counts the calls that did not time out. The thread is blocked all that time; between two calls
 * it sleeps for `pause_ms`.
 */
export function callAgainAndAgain({ object, method, args, words, pause_ms }) {
  const [stop, count] = [0, 1];
  const view = new Int32Array(words.buffer);
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (Atomics.load(view, stop) === 0) {
    try {
      object[method](...args, { timeout: 50 });
      Atomics.add(view, count, 1);
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error;
    }
    if (pause_ms > 0) Atomics.wait(nothing, 0, 0, pause_ms);
  }
}
