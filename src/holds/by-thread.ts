// The hold of a JS thread: how deep the thread is in an RLock. The native lock knows the outermost
// hold. Nested acquisitions concern no other thread, so they are counted here. That costs a tenth
// of a call into the addon.
import type { Native } from '../native/bindings.js';

/** The thread's own hold of one RLock. All objects of this thread for the lock share it. */
export class ThreadHold {
  /** Acquisitions that the thread has to release; 0 if the thread does not hold the lock. */
  depth = 0;
  /** The number of the hold. */
  number = 0;
  /**
   * The object that took it, and that releases it: the guard's own object may be closed by then. If
   * it were collected, the thread would lose its depth.
   */
  takenBy: Native<'RLock'> | undefined;

  begin(number: number, takenBy: Native<'RLock'>): void {
    this.depth = 1;
    this.number = number;
    this.takenBy = takenBy;
  }

  end(): void {
    this.depth = 0;
    this.takenBy = undefined;
  }
}
