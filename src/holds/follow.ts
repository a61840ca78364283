// Tells the channel of acquisitions what becomes of one (src/channels.ts). Only an acquisition to
// which somebody listens comes here.
import type { Acquisition } from '../channels.js';
import { HeldGuard } from './guard.js';

/** What an acquisition returns: a guard; of a Semaphore, true. */
type Taken = HeldGuard | true;

function tell<T extends Taken>(acquisition: Acquisition, taken: T): T {
  if (taken instanceof HeldGuard) taken.follow(acquisition);
  acquisition.acquired(taken instanceof HeldGuard && taken.abandoned);
  return taken;
}

/**
 * `taken`: at once; undefined if `wait` is to be called. It gets `args`, so that a caller needs no
 * closure: one would cost every acquisition, listened to or not.
 */
export async function follow<T extends Taken, A extends unknown[]>(
  acquisition: Acquisition,
  taken: T | undefined,
  signal: AbortSignal | undefined,
  wait: (...args: A) => Promise<T>,
  ...args: A
): Promise<T> {
  if (taken !== undefined) return tell(acquisition, taken);
  acquisition.waits();
  try {
    taken = await wait(...args);
  } catch (error) {
    acquisition.failed(error, signal?.aborted === true && error === signal.reason);
    throw error;
  }
  return tell(acquisition, taken);
}

/** The same of a wait that blocks the thread. */
export function followSync<T extends Taken, A extends unknown[]>(
  acquisition: Acquisition,
  taken: T | undefined,
  wait: (...args: A) => T,
  ...args: A
): T {
  if (taken !== undefined) return tell(acquisition, taken);
  acquisition.waits();
  try {
    taken = wait(...args);
  } catch (error) {
    acquisition.failed(error, false);
    throw error;
  }
  return tell(acquisition, taken);
}

/** The same of a single try. */
export function followTry<T extends Taken>(
  acquisition: Acquisition,
  taken: T | undefined,
): T | undefined {
  if (taken !== undefined) return tell(acquisition, taken);
  acquisition.missed();
  return undefined;
}
