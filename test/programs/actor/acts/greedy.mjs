// A greedy holder: it takes the object again as soon as it has let it go.
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
