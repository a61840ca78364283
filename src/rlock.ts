import type { NativeOwned } from './native.js';
import type { OpenOptions } from './options.js';
import { Owned } from './owned.js';

/**
 * A recursive lock: the thread that holds it may acquire it again, and holds it until it has released
 * as many times. Like Python's `multiprocessing.RLock`; one and the same in every process and worker
 * thread of the user that opens its name.
 *
 * Its holder is a JS thread, not an async task: two tasks of one thread both enter.
 *
 * Underneath, on Linux, is a robust process-shared pthread mutex. The kernel wakes a waiter of
 * acquireSync() at once when the holder dies; other waiters have the lock within two slices (100 ms).
 * The next guard says `abandoned`. macOS has no such mutex; there all waiters need the slice.
 */
export class RLock extends Owned<'RLock'> {
  /**
   * Opens the lock, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Lock does.
   */
  constructor(options: OpenOptions = {}) {
    super('RLock', options);
  }

  /**
   * Gives one acquisition back; the lock is free after the outermost. Does not block.
   *
   * @throws NotOwnerError if this thread does not hold it.
   */
  release(): void {
    this.native.release();
  }

  /** How many acquisitions this thread has to release; 0 if it does not hold the lock. */
  depth(): number {
    return this.native.depth();
  }

  /** @internal */
  again(): RLock {
    return new RLock({ name: this.name, mustExist: true });
  }

  /** @internal The holder never stands behind others, or it would wait for itself. */
  protected enters(native: NativeOwned): boolean {
    return native.heldByMe();
  }
}
