// What the suites of JoinableQueue share: opening one here and in actors, and waiting until a take
// waits.
import { JoinableQueue, type Task } from 'holdfast';
import { type Actor, type RemoteObject, freshName, track, until } from '../../support/index.js';

export function open<T = number>(
  options: ConstructorParameters<typeof JoinableQueue<T>>[0] = {},
): JoinableQueue<T> {
  return track(new JoinableQueue<T>({ name: freshName('joinable queue'), ...options }));
}

export function there(
  actor: Actor,
  queue: JoinableQueue<never> | JoinableQueue,
): Promise<RemoteObject> {
  return actor.make('JoinableQueue', { name: queue.name, mustExist: true });
}

export const counts = (queue: JoinableQueue) => {
  const { size, leased, unfinished } = queue.inspect();
  return { size, leased, unfinished };
};

/** Leases one item in another actor. */
export async function takes(remote: RemoteObject, form: 'async' | 'sync' = 'async') {
  const task = await remote.keep(form === 'sync' ? 'takeSync' : 'take');
  const { value, deliveries } = task;
  return {
    value,
    deliveries,
    done: () => task.remote.call('done'),
    retry: () => task.remote.call('retry'),
  };
}

/** Starts a take. Resolves to its call when it waits. */
export async function waitsToTake(
  remote: RemoteObject,
  witness: JoinableQueue,
  form: 'async' | 'sync',
) {
  const before = witness.inspect().getters;
  const taken = remote.start<{ value: number; deliveries: number }>(
    form === 'sync' ? 'takeSync' : 'take',
  );
  await until(() => witness.inspect().getters === before + 1, `a ${form} take`);
  return { taken };
}

export const plain = ({
  value,
  deliveries,
}: {
  value: unknown;
  deliveries?: number | undefined;
}) => ({
  value,
  deliveries,
});

/** What a job of these suites is. */
export type Job = { id: number };

/** Ends the job, and returns its number. */
export function doneWith(task: Task<Job>): number {
  task.done();
  return task.value.id;
}
