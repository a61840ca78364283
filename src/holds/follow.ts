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

/** `taken`: at once; undefined if `wait` is to be called. */
export async function follow<T extends Taken>(
  acquisition: Acquisition,
  taken: T | undefined,
  wait: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (taken !== undefined) return tell(acquisition, taken);
  acquisition.waits();
  try {
    taken = await wait();
  } catch (error) {
    acquisition.failed(error, signal?.aborted === true && error === signal.reason);
    throw error;
  }
  return tell(acquisition, taken);
}

/** The same of a wait that blocks the thread. */
export function followSync<T extends Taken>(
  acquisition: Acquisition,
  taken: T | undefined,
  wait: () => T,
): T {
  if (taken !== undefined) return tell(acquisition, taken);
  acquisition.waits();
  try {
    taken = wait();
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
