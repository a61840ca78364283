// The blocking wait. The thread sleeps in the addon, one slice at a time, until it has what it
// waits for.
import { lookForDeadlocks } from '../deadlocks/detector.js';
import type { Need } from '../deadlocks/record.js';
import { overdue_ms, slice_ms } from '../native/enums.js';
import { once } from '../native/once.js';
import type { SyncAcquireOptions } from '../options.js';
import type { Acquirable } from './acquirable.js';
import { BlockedWait } from './blocked-wait.js';
import { now } from './clock.js';
import type { WaitSet } from './wait-set.js';
import { type Waiter, timedOut } from './waiter.js';

const blocking = once('blocking', (): { betweenSlices?: () => void } => ({}));

/** Sets what a blocked thread does after each slice, because its event loop cannot do it. */
export function setBetweenSlices(work: () => void): void {
  blocking.betweenSlices = work;
}

/** What else a blocking wait may have. */
interface BlockingWait {
  /** The timeout of the whole wait, for the error, where this is one step of it. */
  readonly given?: number | undefined;
  /** Why the wait lasted so long: the cause of its TimeoutError. */
  readonly cause?: (() => Error | undefined) | undefined;
  /** What is waited for: without it the wait takes part in no deadlock. */
  readonly need?: (() => Need | undefined) | undefined;
  /**
   * Of what one thread has at a time: when this thread has waited for 3 ms, others give way to it.
   */
  readonly turn?: WaitSet | undefined;
}

/**
 * Blocks the thread until `takeWithin(ms)` returns something other than undefined. A call of
 * `takeWithin` blocks for one slice at most. After it the thread is back in JavaScript, and there a
 * worker can be terminated.
 *
 * @throws TimeoutError after `timeout` milliseconds; undefined waits without a limit.
 * @throws DeadlockError if it is the youngest wait of a deadlock.
 */
export function waitForSync<T>(
  waiter: Waiter,
  takeWithin: (ms: number) => T | undefined,
  timeout: number | undefined,
  { given = timeout, cause, need, turn }: BlockingWait = {},
): T {
  if (timeout === 0) throw timedOut(waiter, given, cause?.());
  const wait = new BlockedWait(need);
  const deadline = timeout === undefined ? undefined : wait.begun + timeout;
  let lasts = false;
  try {
    for (;;) {
      const left = deadline === undefined ? Infinity : deadline - now();
      if (left <= 0) throw timedOut(waiter, given, cause?.());
      const taken = takeWithin(Math.min(left, slice_ms));
      if (taken !== undefined) {
        wait.acquired();
        return taken;
      }
      lasts = true;
      blocking.betweenSlices?.();
      lookForDeadlocks(wait);
      wait.throwIfFailed();
      const waited_ms = now() - wait.begun;
      if (waited_ms >= overdue_ms) turn?.announce(waited_ms);
    }
  } finally {
    wait.end();
    // `takeWithin` may have announced it, too. If it did and took, it has ended that.
    if (lasts && now() - wait.begun >= overdue_ms) turn?.withdraw();
  }
}

/** Blocks the thread until it has acquired something. */
export function waitToAcquireSync<T>(
  waiter: Waiter,
  acquirable: Acquirable<T>,
  options: SyncAcquireOptions | undefined,
): T {
  const timeout = options?.timeout;
  if (timeout !== 0) acquirable.contend();
  const { waiters } = acquirable;
  const looks = acquirable.need !== undefined && options?.deadlock !== false;
  const need = looks ? () => acquirable.need!() : undefined;
  return waitForSync(waiter, (ms) => acquirable.wait(ms), timeout, { need, turn: waiters });
}
