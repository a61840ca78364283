// What the suites of BoundedSemaphore share: opening one, and finding all its permits there.
import assert from 'node:assert/strict';
import { BoundedSemaphore, type Guard } from 'holdfast';
import { type Actor, track } from '../../support/index.js';

export const kind = 'BoundedSemaphore';
export const open = (permits: number | undefined, name?: string) =>
  track(new BoundedSemaphore(permits, { name }));
export const opened = async (actor: Actor, name: string, permits = 2) =>
  actor.open(kind, { name }, permits);

/** Takes all that can be had, and how many of them were news of a death. */
export function takeAll(semaphore: BoundedSemaphore): { guards: Guard[]; abandoned: number } {
  const guards: Guard[] = [];
  for (let guard; (guard = semaphore.tryAcquire()) !== null; ) guards.push(guard);
  return { guards, abandoned: guards.filter((guard) => guard.abandoned).length };
}

/** All permits are there, nobody waits, and nobody is told anything. */
export function assertWhole(semaphore: BoundedSemaphore, permits: number): void {
  const { guards, abandoned } = takeAll(semaphore);
  for (const guard of guards) guard.release();
  assert.deepEqual([guards.length, abandoned, semaphore.value()], [permits, 0, permits]);
  assert.equal(semaphore.inspect().waiters, 0);
}
