// How deep this thread is in an RLock. The native lock knows its outermost hold; what is nested in that
// concerns nobody else, so it is counted here, where it costs a tenth of a call into the addon.
import type { NativeOwned } from '../native/bindings.js';

/** One for all handles of the object that the thread has. */
export class Recursion {
  /** Acquisitions that are to be released; 0 if this thread does not hold the lock. */
  depth = 0;
  /** The number of the hold. */
  hold = 0;
  /** Its releaseHold() as what it was taken through has it: that is not to be closed meanwhile. */
  releaseHold: NativeOwned['releaseHold'] | undefined;
  /** What it was taken through: not to be collected meanwhile, or this thread's depth would be forgotten. */
  takenBy: NativeOwned | undefined;
}

/** Replaces functions of a native handle by those that count. */
export function countDepth(native: NativeOwned, recursion: Recursion): void {
  const { mayClose, tryAcquire, tryFree, wait, release, releaseHold, giveUp, resume } = native;
  let lastHold = 0;

  const taken = (result: number) => {
    if (result !== 0) {
      recursion.depth = 1;
      recursion.hold = lastHold = Math.abs(result);
      recursion.releaseHold = releaseHold;
      recursion.takenBy = native;
    }
    return result;
  };
  const deeper = () => {
    recursion.depth++;
    return (lastHold = recursion.hold);
  };
  const left = () => {
    recursion.depth = 0;
    recursion.releaseHold = undefined;
    recursion.takenBy = undefined;
  };

  native.tryAcquire = () => (recursion.depth === 0 ? taken(tryAcquire()) : deeper());
  native.tryFree = () => (recursion.depth === 0 ? taken(tryFree()) : deeper());
  native.wait = (ms) => (recursion.depth === 0 ? taken(wait(ms)) : deeper());
  native.release = () => {
    if (recursion.depth > 1) {
      recursion.depth--;
      return;
    }
    release();
    left();
  };
  native.releaseHold = (hold) => {
    if (recursion.depth > 1 && hold === recursion.hold) {
      recursion.depth--;
      return;
    }
    // Through the handle that took it: this one may be closed by now.
    (recursion.releaseHold ?? releaseHold)(hold);
    left();
  };
  native.depth = () => recursion.depth;
  native.giveUp = () => {
    const hold = giveUp();
    left();
    return hold;
  };
  native.resume = (hold, depth) => {
    resume(hold, 1);
    taken(hold);
    recursion.depth = depth;
  };
  // Not while this thread holds what was acquired through this handle.
  native.mayClose = () => (recursion.depth === 0 || lastHold !== recursion.hold) && mayClose();
}
