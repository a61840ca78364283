import type { WaitSet } from './wait-set.js';

/** Something that one acquires: a lock, or a permit. `T` is what an acquisition returns. */
export interface Acquirable<T> {
  /** The wait set that wakes this thread when it may be free. */
  readonly waiters: WaitSet;
  /** Acquires it, or returns undefined. Does not wait. */
  tryAcquire(): T | undefined;
  /**
   * The same for a caller that is about to wait: does not ask whether the holder lives, which takes
   * a system call.
   */
  tryFree(): T | undefined;
  /** Blocks the thread for `ms` or one slice, whichever is shorter. */
  wait(ms: number): T | undefined;
  /** Counts an acquisition that has to wait. */
  contend(): void;
}
