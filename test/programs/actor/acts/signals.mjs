// Acts that change what a signal does to the actor.

/**
 * Has had a listener for the signal, and has none any more. Node ignores SIGPIPE and SIGXFSZ from
 * its start on, and after this they kill.
 */
export function takeListenerAway({ signal }) {
  const listener = () => {};
  process.on(signal, listener);
  process.off(signal, listener);
}
