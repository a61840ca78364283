// How `await lock.acquire()` makes only the code behind the await the holder.
//
// runExclusive() calls its function inside the context of the hold (AsyncLocalStorage.run). The
// code behind `await lock.acquire()` cannot be called like that. enterWith() changes the context of
// the running code. The caller of the task goes on in the same context as soon as the task waits,
// so the caller would be a holder, too.
//
// So no running code's context is ever changed. A hook of node:async_hooks notes which reactions
// are attached to the promise of acquire(), an await among them. It puts the hold into the context
// of such a reaction just before the reaction runs. That context ends with the reaction. What is
// called or made in there inherits it, and nothing else does.
//
// The hook may not see the promise: a runtime may have no such hooks, a polyfill its own Promise
// class. Then the hold gets into no context and belongs to the guard alone. A task may then wait
// for itself; two tasks are never inside.
import { createHook } from 'node:async_hooks';
import { Hold, context, holdingsWith, inContext } from './context.js';

/** The hold of a task, from its outermost acquisition to its last release. */
export class TaskHold extends Hold {
  /** Of the promise that hands the hold over; 0 without one. */
  promiseId = 0;
  /** Reactions to that promise which have not run. */
  readonly reactionIds: number[] = [];
}

const byPromise = new Map<number, TaskHold>();
const byReaction = new Map<number, TaskHold>();
/** All promises made while we make ours: another hook may make promises of its own meanwhile. */
let madeNow: { id: number; resource: object }[] | undefined;

// The hook is on only from an acquire() to the end of its hold, because it slows every promise.
const hook = createHook({
  init(id, type, triggerId, resource) {
    if (type !== 'PROMISE') return;
    madeNow?.push({ id, resource });
    // A reaction is a promise, too. What triggers it is the promise that it reacts to.
    const hold = byPromise.get(triggerId);
    if (hold === undefined) return;
    byReaction.set(id, hold);
    hold.reactionIds.push(id);
  },
  before(id) {
    const hold = byReaction.get(id);
    if (hold === undefined) return;
    byReaction.delete(id);
    if (!inContext(hold)) context.enterWith(holdingsWith(hold));
  },
});

/** A promise whose reactions, if it is fulfilled, run with the hold in their context. */
export function handOver<T>(hold: TaskHold, start: () => Promise<T>): Promise<T> {
  if (byPromise.size === 0) hook.enable();
  madeNow = [];
  let settle!: [resolve: (value: T) => void, reject: (reason: unknown) => void];
  const promise = new Promise<T>((...both) => (settle = both));
  const made = madeNow.find(({ resource }) => resource === promise);
  madeNow = undefined;
  if (made !== undefined) byPromise.set((hold.promiseId = made.id), hold);
  else if (byPromise.size === 0) hook.disable();

  const [resolve, reject] = settle;
  start().then(resolve, (reason: unknown) => {
    endHold(hold);
    reject(reason);
  });
  return promise;
}

/** Ends the hold in every context that still has it. */
export function endHold(hold: TaskHold): void {
  hold.isOver = true;
  for (const id of hold.reactionIds) byReaction.delete(id);
  if (byPromise.delete(hold.promiseId) && byPromise.size === 0) hook.disable();
}
