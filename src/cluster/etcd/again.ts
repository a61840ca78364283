// What is tried again when etcd has not answered.
import { setTimeout } from '../../waiting/clock.js';

/** How long after a failure. */
export const retry_ms = 200;

/**
 * Makes the attempt in a while, and again and again, until etcd has answered it so often, or until
 * `isOver`. For the consequences of a command whose answer was lost.
 */
export function tryLater(
  attempt: () => Promise<unknown>,
  times: number,
  isOver: () => boolean,
): void {
  const timer = setTimeout(() => {
    if (isOver()) return;
    attempt().then(
      () => times > 1 && tryLater(attempt, times - 1, isOver),
      () => tryLater(attempt, times, isOver),
    );
  }, retry_ms);
  timer.unref();
}
