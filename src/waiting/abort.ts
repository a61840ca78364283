// Aborts of waits. Each signal has one listener, for any number of waits, because Node warns of a
// leak when a signal has more than ten.
import { addAbortListener } from 'node:events';

/** The callbacks for the abort of one signal. */
class Watch {
  readonly callbacks = new Set<() => void>();
  /** Of the listener, which is called even if another one stops the event. */
  readonly #listening: Disposable;

  constructor(signal: AbortSignal) {
    this.#listening = addAbortListener(signal, () => {
      // A callback may remove others, and itself.
      for (const callback of this.callbacks) callback();
    });
  }

  end(): void {
    this.#listening[Symbol.dispose]();
  }
}

/** The signals that have callbacks. */
const watches = new WeakMap<AbortSignal, Watch>();

/** Calls `callback` when the signal is aborted, until unwatchAbort(). */
export function watchAbort(signal: AbortSignal, callback: () => void): void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    watch = new Watch(signal);
    watches.set(signal, watch);
  }
  watch.callbacks.add(callback);
}

/** Removes a callback. With the last callback the listener is removed, too. */
export function unwatchAbort(signal: AbortSignal, callback: () => void): void {
  const watch = watches.get(signal);
  if (watch === undefined) return;
  watch.callbacks.delete(callback);
  if (watch.callbacks.size > 0) return;
  watches.delete(signal);
  watch.end();
}
