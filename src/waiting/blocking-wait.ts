// The blocking wait: the thread sleeps in the addon, one slice at a time, until it has what it
// waits for.
import type { NativeAcquirable } from '../native/bindings.js';
import { slice_ms } from '../native/enums.js';
import { once } from '../native/once.js';
import { now } from './clock.js';
import { type Waiter, timedOut } from './waiter.js';

const blocking = once('blocking', (): { betweenSlices?: () => void } => ({}));

/** Sets what a blocked thread does after each slice, because its event loop cannot do it. */
export function setBetweenSlices(work: () => void): void {
  blocking.betweenSlices = work;
}

/**
 * Blocks the thread until `takeWithin(ms)` returns something other than undefined. A call of
 * `takeWithin` blocks for one slice at most. After it the thread is back in JavaScript, and there a
 * worker can be terminated.
 *
 * @throws TimeoutError after `timeout` milliseconds; undefined waits without a limit. The error
 * names `given`, which is the timeout of the whole wait where this is one step of it.
 */
export function waitForSync<T>(
  waiter: Waiter,
  takeWithin: (ms: number) => T | undefined,
  timeout: number | undefined,
  given = timeout,
): T {
  if (timeout === 0) throw timedOut(waiter, given);
  const deadline = timeout === undefined ? undefined : now() + timeout;
  for (;;) {
    const left = deadline === undefined ? Infinity : deadline - now();
    if (left <= 0) throw timedOut(waiter, given);
    const taken = takeWithin(Math.min(left, slice_ms));
    if (taken !== undefined) return taken;
    blocking.betweenSlices?.();
  }
}

/** Blocks the thread until it holds a Lock, RLock or Semaphore. Answers like `tryAcquire()`. */
export function waitForHoldSync(
  waiter: Waiter & { readonly native: NativeAcquirable },
  timeout: number | undefined,
): number {
  const { native } = waiter;
  if (timeout !== 0) native.contend();
  return waitForSync(waiter, (ms) => native.wait(ms) || undefined, timeout);
}
