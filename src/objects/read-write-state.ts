import type { DeadlockedWait } from '../errors.js';
import type { Holder } from '../holds/guard.js';

/**
 * What `inspect()` shows of a ReadWriteLock: a snapshot, which may be out of date when it is read.
 */
export interface ReadWriteLockState {
  /** The class of the object. */
  readonly kind: 'ReadWriteLock';
  /** The name that it was opened with. */
  readonly name: string;
  /** The thread that holds it exclusively; null if there is none. */
  readonly writer: Holder | null;
  /**
   * For how many milliseconds it has been seen held by this writer: as LockState has it. null
   * without a writer, or if nobody has looked at its hold yet.
   */
  readonly heldFor: number | null;
  /** The live threads that hold it shared, once for each hold. */
  readonly readers: readonly Holder[];
  /** True if the last writer died with its hold: guards say `abandoned` up to the next writer. */
  readonly abandoned: boolean;
  /** Shared acquisitions that wait now, in live threads of all processes. */
  readonly waitingReaders: number;
  /** Exclusive acquisitions that wait now, in live threads of all processes. */
  readonly waitingWriters: number;
  /**
   * For how many milliseconds the thread has waited to read that has waited longest; 0 below a
   * slice (50 ms). null if none waits.
   */
  readonly longestReaderWait: number | null;
  /** The same of those that wait to write. */
  readonly longestWriterWait: number | null;
  /**
   * Possible deadlocks in which a wait for it takes part, each as the `cycle` of a DeadlockError.
   * It is not certain, because a guard in a variable may be released at any time. Only waits of
   * more than a second are known.
   */
  readonly suspicions: readonly (readonly DeadlockedWait[])[];
  /** Acquisitions since it was made, of both modes. */
  readonly acquisitions: number;
  /** Acquisitions that had to wait. */
  readonly contentions: number;
  /** Exclusive acquisitions after a writer that died. */
  readonly abandonments: number;
}
