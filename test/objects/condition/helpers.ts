// What the suites of Condition share: opening one here and in actors, and waiting until a wait has
// begun.
import { Condition, Lock, RLock, type Wakeup } from 'holdfast';
import {
  type Call,
  type Actor,
  type RemoteObject,
  freshName,
  track,
  until,
} from '../../support/index.js';

export const lockKinds = ['Lock', 'RLock'] as const;
export type LockKind = (typeof lockKinds)[number];
/** A condition over a lock of that kind, in this thread and in each actor. */
export async function open(kind: LockKind, others: readonly Actor[] = []) {
  const name = freshName('condition');
  const lockName = freshName(kind);
  const lock = track(
    kind === 'Lock' ? new Lock({ name: lockName }) : new RLock({ name: lockName, scope: 'thread' }),
  );
  const condition = track(new Condition(lock, { name }));
  const remotes = await Promise.all(others.map((actor) => openIn(actor, kind, lockName, name)));
  return { condition, lock, lockName, name, remotes };
}

export async function openIn(actor: Actor, kind: LockKind, lockName: string, name: string) {
  const lock = await actor.make(kind, { name: lockName });
  return actor.make('Condition', lock, { name });
}

export interface Waiting {
  wakeup: Call<Wakeup>;
  release(): Promise<void>;
}

/** Has an actor acquire and wait. Resolves when the condition counts the wait. */
export async function waits(
  remote: RemoteObject,
  witness: Condition,
  form: 'async' | 'sync' = 'async',
  options: object = {},
): Promise<Waiting> {
  const before = witness.inspect().waiters;
  const guard = await remote.keep('acquire');
  const method = form === 'sync' ? 'waitSync' : 'wait';
  const wakeup = remote.start<Wakeup>(method, options);
  await until(() => witness.inspect().waiters === before + 1, `a ${form} wait`);
  return { wakeup, release: () => guard.remote.call('release') };
}

/** notify() under the lock; resolves to what it returned. */
export function notified(condition: Condition, n?: number): Promise<number> {
  return condition.runExclusive(() =>
    n === undefined ? condition.notifyAll() : condition.notify(n),
  );
}

export const waiters = (condition: Condition, count: number) =>
  until(() => condition.inspect().waiters === count, `${count} waiters`);
