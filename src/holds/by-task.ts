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
import { setImmediate } from '../waiting/clock.js';
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

// The hook slows every promise, so it is on only while some task holds, or waits for, an RLock. To
// turn it on and off costs as much as a few promises. So it stays on to the end of the turn.
let isOn = false;
let isTurnedOffSoon = false;
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

/**
 * Calls `start`. If the promise that it returns is fulfilled, the reactions to that promise run
 * with the hold in their context. `start` ends the hold before it rejects.
 */
export function handOver<T>(hold: TaskHold, start: () => Promise<T>): Promise<T> {
  if (!isOn) {
    hook.enable();
    isOn = true;
  }
  const made: { id: number; resource: object }[] = (madeNow = []);
  let promise;
  try {
    promise = start();
  } finally {
    madeNow = undefined;
  }
  if (!hold.isOver) {
    const { id } = made.find(({ resource }) => resource === promise) ?? { id: 0 };
    if (id !== 0) byPromise.set((hold.promiseId = id), hold);
  }
  turnOffSoon();
  return promise;
}

/** Ends the hold in every context that still has it. */
export function endHold(hold: TaskHold): void {
  hold.isOver = true;
  for (const id of hold.reactionIds) byReaction.delete(id);
  byPromise.delete(hold.promiseId);
  turnOffSoon();
}

function turnOffSoon(): void {
  if (byPromise.size !== 0 || isTurnedOffSoon || !isOn) return;
  isTurnedOffSoon = true;
  setImmediate(() => {
    isTurnedOffSoon = false;
    if (byPromise.size !== 0) return;
    hook.disable();
    isOn = false;
  }).unref();
}
