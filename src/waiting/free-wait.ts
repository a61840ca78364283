// The wait until something is free, without acquiring it.
import type { Native } from '../native/bindings.js';
import type { FreeOperations } from '../native/bindings.js';
import type { Need } from '../deadlocks/record.js';
import type { AcquireOptions, SyncAcquireOptions } from '../options.js';
import { waitForSync } from './blocking-wait.js';
import { waitFor } from './pending-waits.js';
import type { WaitSet } from './wait-set.js';
import type { Waiter } from './waiter.js';

/** What is waited for: `waitSet` wakes this thread when it may be free. */
interface Place<N extends Native> {
  readonly operations: FreeOperations<N>;
  readonly native: N;
  readonly waitSet: WaitSet;
  /** What the wait needs. Absent where nobody knows who holds it. */
  readonly need?: (() => Need) | undefined;
}

/** Resolves as soon as it is free. Does not block the event loop. `options` have been read. */
export async function waitUntilFree<N extends Native>(
  waiter: Waiter,
  { operations, native, waitSet, need }: Place<N>,
  options: AcquireOptions | undefined,
): Promise<void> {
  if (operations.isFree(native)) return;
  const take = () => {
    if (!operations.isFree(native)) return undefined;
    // The wake-up may have been the only one, and this wait leaves it free for somebody else.
    waitSet.passOn();
    return true;
  };
  await waitFor<true>(waiter, { waitSet, take, need }, options);
}

/** The same, blocking this thread. */
export function waitUntilFreeSync<N extends Native>(
  waiter: Waiter,
  { operations, native, waitSet, need }: Place<N>,
  options: SyncAcquireOptions | undefined,
): void {
  if (operations.isFree(native)) return;
  const takeWithin = (ms: number) => operations.waitUntilFree(native, ms) || undefined;
  const looks = options?.deadlock !== false;
  const more = { need: looks ? need : undefined, turn: waitSet };
  waitForSync<true>(waiter, takeWithin, options?.timeout, more);
}
