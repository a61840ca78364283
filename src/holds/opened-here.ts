// The RLocks that this thread has open. All objects for one lock share who holds it here.
import { IncompatibleError, label } from '../errors.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import type { RLockScope } from '../options.js';
import type { Waiter } from '../waiting/waiter.js';
import { type TaskHold, endHold } from './by-task.js';
import { ThreadHold } from './by-thread.js';
import { inContext } from './context.js';

/** One RLock as this thread has it open, through all of its objects. */
export class OpenedHere {
  objects = 0;
  readonly thread = new ThreadHold();
  /** A task's hold, or a guard's. Undefined while `thread` holds, and while nobody here does. */
  task: TaskHold | undefined;
  /** The object that `task` was taken through. If it were collected, the hold would end. */
  #takenBy: Native<'RLock'> | undefined;
  /** What Conditions have given up, by the number of the hold. */
  readonly #suspended = new Map<number, TaskHold>();

  constructor(readonly scope: RLockScope) {}

  /** Does the running task hold it? */
  isHeldByTask(): boolean {
    return this.task !== undefined && inContext(this.task);
  }

  isHeldInThread(): boolean {
    return this.thread.depth !== 0 || this.task !== undefined;
  }

  /** The native lock was taken for a task, or for a guard. */
  begin(hold: TaskHold, takenBy: Native<'RLock'>): void {
    this.task = hold;
    this.#takenBy = takenBy;
  }

  /** After a release of `task`: was it the last? */
  released(): void {
    if (this.task === undefined || addon.RLock.isHeldByCaller(this.#takenBy!)) return;
    endHold(this.task);
    this.task = undefined;
    this.#takenBy = undefined;
  }

  /** `task` is given up, and not over. */
  suspend(number: number): void {
    this.#suspended.set(number, this.task!);
    this.task = undefined;
    this.#takenBy = undefined;
  }

  /** What a plain call has just taken becomes the hold that was given up, if that was a task's. */
  resume(number: number, takenBy: Native<'RLock'>): boolean {
    const hold = this.#suspended.get(number);
    if (hold === undefined) return false;
    this.#suspended.delete(number);
    this.thread.end();
    this.begin(hold, takenBy);
    return true;
  }
}

/** By the lock's tag, as long as this thread has an object for it. */
const openedHere = once('opened', () => new Map<number, OpenedHere>());
const collected = new FinalizationRegistry(forget);

function forget(tag: number): void {
  const opened = openedHere.get(tag);
  if (opened && --opened.objects === 0) openedHere.delete(tag);
}

/**
 * Registers a new object. All objects of one thread for a lock must have one scope. The native lock
 * lets the whole thread in again, so an object of scope 'thread' would enter while a task holds it.
 */
export function enter(
  waiter: Waiter,
  native: Native<'RLock'>,
  tag: number,
  scope: RLockScope,
): OpenedHere {
  const opened = openedHere.get(tag) ?? new OpenedHere(scope);
  if (opened.scope !== scope) {
    throw new IncompatibleError(
      `${label(waiter.kind, waiter.name)}: this thread has it open with scope '${opened.scope}', ` +
        `and so not with scope '${scope}' too`,
      { kind: waiter.kind, objectName: waiter.name },
    );
  }
  openedHere.set(tag, opened);
  opened.objects++;
  collected.register(native, tag, waiter);
  return opened;
}

/** Called when an object for the lock with this tag was closed. */
export function leave(waiter: Waiter, tag: number): void {
  if (collected.unregister(waiter)) forget(tag);
}
