// Was a waiter woken, or did it look by itself? A waiter that nobody wakes looks again after a
// slice, so a test that only sees it acquire sees no lost wake-up. How long it took tells nothing
// on a busy machine.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor, Hold } from './actor.js';
import type { Form } from './cases.js';

/** Longer than any test. */
const never_ms = 3_600_000;
/**
 * A blocking wait in the addon looks when it begins, when it leaves the kernel for the doorbell,
 * and when its slice ends: so many milliseconds after it began. On a busy machine it is late.
 */
const looks_ms = [
  { earliest: 0, latest: 0 },
  { earliest: 10, latest: 25 },
  { earliest: 50, latest: Infinity },
];

/**
 * Until the test ends, an asynchronous waiter in this actor has to be woken: it does not look by
 * itself. A blocking one does, and its holds tell when: wasWoken() judges them.
 */
export async function looksOnlyIfWoken(actor: Actor): Promise<void> {
  await actor.send({ do: 'lookEach', ms: never_ms });
  // Where the test waits in its own thread, it waits asynchronously.
  if (actor.place !== 'thread') await actor.send({ do: 'noteLooks' });
}

/**
 * True if the waiter cannot have found the release by itself, since it did not look between the
 * release and its acquisition. It is false for some who were woken, if the machine is busy.
 */
export function wasWoken({ at, looked }: Hold, form: Form, released: number): boolean {
  if (form === 'async') return true; // looksOnlyIfWoken()
  if (looked === undefined) throw new Error('looksOnlyIfWoken() was not called');
  return !looks_ms.some(({ earliest, latest }) => {
    return released <= looked + latest && looked + earliest <= at;
  });
}

/** In every other round a blocking waiter has left the kernel, and is woken at its doorbell. */
export async function leaveKernel(form: Form, round: number): Promise<void> {
  if (form === 'sync' && round % 2 === 1) await sleep(30);
}
