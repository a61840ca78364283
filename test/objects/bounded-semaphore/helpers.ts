// What the suites of BoundedSemaphore share: opening one, and finding all its permits there.
import assert from 'node:assert/strict';
import { BoundedSemaphore, type Guard } from 'holdfast';
import { type Actor, track } from '../../support/index.js';

export const kind = 'BoundedSemaphore';
export const open = (permits: number | undefined, name?: string) =>
  track(new BoundedSemaphore(permits, { name }));
export const opened = async (actor: Actor, name: string, permits = 2) =>
  actor.open(kind, { name }, permits);

/** Takes all permits that are free. Says how many of them were abandoned. */
export function takeAll(semaphore: BoundedSemaphore): { guards: Guard[]; abandoned: number } {
  const guards: Guard[] = [];
  for (let guard; (guard = semaphore.tryAcquire()) !== null; ) guards.push(guard);
  return { guards, abandoned: guards.filter((guard) => guard.abandoned).length };
}

/** Checks that all permits are free, nobody waits, and no death is left to tell. */
export function assertWhole(semaphore: BoundedSemaphore, permits: number): void {
  const { guards, abandoned } = takeAll(semaphore);
  for (const guard of guards) guard.release();
  assert.deepEqual([guards.length, abandoned, semaphore.value()], [permits, 0, permits]);
  assert.equal(semaphore.inspect().waiters, 0);
}
