// What the event loop of this thread waits for. A blocked wait may find a wake-up that was meant
// for the loop, because both wait for the same object. It keeps the wake-up only if the loop waits
// for anything: the addon reads how many objects that are.
import { addon } from '../native/load.js';
import { once } from '../native/once.js';

const count = once('loop waits', () => {
  const words = new Int32Array(1);
  addon.useLoopWaits(words);
  return words;
});
const state = once('loop waits in queues', () => ({ queues: 0 }));

/** What happens when an object wakes this thread, by the tag of the object. */
export const listeners = once('listeners', () => new Map<number, (isDeath: boolean) => void>());

/**
 * Calls back when the object wakes this thread, and when an agent that this thread watches has died
 * (`isDeath`).
 * For objects whose waits are in no queue of pending-waits.ts.
 */
export function listenForWakeUps(tag: number, listener: (isDeath: boolean) => void): void {
  listeners.set(tag, listener);
  loopWaitsFor(state.queues);
}

export function stopListening(tag: number): void {
  listeners.delete(tag);
  loopWaitsFor(state.queues);
}

/** To be called when another number of queues has pending waits. */
export function loopWaitsFor(queues: number): void {
  state.queues = queues;
  count[0] = queues + listeners.size;
}
