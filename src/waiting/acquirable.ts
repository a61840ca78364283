import type { Need } from '../deadlocks/record.js';
import type { WaitSet } from './wait-set.js';

/** Something that can be acquired: a lock, or a permit. `T` is what an acquisition returns. */
export interface Acquirable<T> {
  /** The wait set that wakes this thread when an acquisition may succeed. */
  readonly waiters: WaitSet;
  /** Acquires it if it is free, or if its holder died; otherwise undefined. Does not wait. */
  tryAcquireOrRescue(): T | undefined;
  /**
   * The same for a thread that has enrolled. It asks whether the holder lives only if the event
   * loop does not hear of its death. Absent where holders are not watched.
   */
  tryAcquireEnrolled?(): T | undefined;
  /**
   * Like tryAcquireOrRescue(), for a caller that is about to wait. It does not ask whether the
   * holder lives, because that takes a system call.
   */
  tryAcquire(): T | undefined;
  /**
   * Blocks the thread for `ms` or one slice, whichever is shorter. Then returns like
   * tryAcquireOrRescue().
   */
  wait(ms: number): T | undefined;
  /** What a wait for it needs. Absent where nobody knows who holds it. */
  need?(): Need;
  /** Counts an acquisition that has to wait. */
  contend(): void;
}
