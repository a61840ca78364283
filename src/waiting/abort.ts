// Aborts of waits. Each signal has one listener, however many waits go by it: Node warns of a leak
// when a signal has more than ten.

/** What happens on the abort of one signal. */
class Watch {
  readonly callbacks = new Set<() => void>();
  /** A callback may take away others, and itself. */
  readonly listener = (): void => {
    for (const callback of this.callbacks) callback();
  };
}

/** The signals that somebody watches. */
const watches = new WeakMap<AbortSignal, Watch>();

/** Calls back when the signal is aborted, until unwatchAbort(). */
export function watchAbort(signal: AbortSignal, callback: () => void): void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    watch = new Watch();
    watches.set(signal, watch);
    signal.addEventListener('abort', watch.listener, { once: true });
  }
  watch.callbacks.add(callback);
}

/** The last one takes the listener away. */
export function unwatchAbort(signal: AbortSignal, callback: () => void): void {
  const watch = watches.get(signal);
  if (watch === undefined) return;
  watch.callbacks.delete(callback);
  if (watch.callbacks.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener('abort', watch.listener);
}
