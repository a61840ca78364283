// Acts that change what a signal does to the actor.

/**
 * Adds a listener for the signal and removes it. Node ignores SIGPIPE and SIGXFSZ from its start.
 * After this they kill.
 */
export function takeListenerAway({ signal }) {
  const listener = () => {};
  process.on(signal, listener);
  process.off(signal, listener);
}
