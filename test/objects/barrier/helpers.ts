// What the suites of Barrier share: opening one here and in actors, and waiting until a party has
// arrived.
import assert from 'node:assert/strict';
import { Barrier, type BarrierOptions } from 'holdfast';
import {
  type Call,
  type Actor,
  type RemoteObject,
  assertRejects,
  freshName,
  track,
  until,
  within,
} from '../../support/index.js';
// The number that a busy machine can do in the time of a suite. HOLDFAST_ROUNDS sets another one.
export const rounds = Number(process.env['HOLDFAST_ROUNDS'] || 1000);

export async function open(
  parties: number,
  others: readonly Actor[] = [],
  options: BarrierOptions = {},
) {
  const name = freshName('barrier');
  const barrier = track(new Barrier(parties, { ...options, name }));
  const remotes = await Promise.all(
    others.map((actor) => actor.make('Barrier', parties, { name })),
  );
  return { barrier, remotes, name };
}

/** Has a party arrive in another actor. Resolves when the barrier counts it. */
export async function arrives(
  remote: RemoteObject,
  witness: Barrier,
  form: 'async' | 'sync' = 'async',
  options: object = {},
): Promise<{ passed: Call<number> }> {
  const before = witness.waiting();
  const wait = remote.start<number>(form === 'sync' ? 'waitSync' : 'wait', options);
  await until(() => witness.waiting() === before + 1, `a ${form} arrival`);
  return { passed: wait };
}

export const broken = (promise: Promise<unknown>, name?: string) =>
  assertRejects(
    within(promise, 'a broken barrier'),
    'BrokenBarrierError',
    name === undefined ? {} : { kind: 'Barrier', objectName: name },
  );

/** For a promise that may reject before the test awaits it. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Checks that the barrier works after a reset() as if it were new. */
export async function worksAfterReset(barrier: Barrier): Promise<void> {
  barrier.reset();
  assert.equal(barrier.broken(), false);
  assert.equal(barrier.waiting(), 0);
  const waits = Array.from({ length: barrier.parties }, () => barrier.wait());
  const indices = await within(Promise.all(waits), 'a round after reset()');
  assert.deepEqual(indices.toSorted(), [...waits.keys()]);
}
