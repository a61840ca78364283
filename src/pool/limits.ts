// The timeouts of tasks. They count from the start of the function, and only its worker knows when
// that was.
import { TimeoutError } from '../errors.js';
import { type Timer, clearTimeout, machineTime, setTimeout } from '../waiting/clock.js';
import type { Member } from './member.js';
import type { Task } from './task.js';

/** Ends a task that its worker has. */
type End = (member: Member, task: Task, error: TimeoutError) => void;

export class Limits {
  readonly #timers = new Map<Task, Timer>();
  readonly #onLate: End;

  /** `onLate` is called for a task that runs for longer than its timeout. */
  constructor(onLate: End) {
    this.#onLate = onLate;
  }

  /** The task has been given to the worker. */
  begin(member: Member, task: Task): void {
    const { timeout } = task;
    if (timeout === undefined) return;
    const look = () => {
      const { since } = member.page;
      const isRunning = member.running === task && since > 0;
      const left = isRunning ? timeout - (machineTime() - since) : Math.max(1, timeout);
      if (left > 0) {
        this.#timers.set(task, setTimeout(look, Math.ceil(left)));
        return;
      }
      const error = new TimeoutError(`${task.title} ran for longer than ${timeout} ms`);
      this.#onLate(member, task, error);
    };
    this.end(task);
    this.#timers.set(task, setTimeout(look, timeout));
  }

  /** The task has ended. */
  end(task: Task): void {
    if (task.timeout === undefined) return;
    clearTimeout(this.#timers.get(task));
    this.#timers.delete(task);
  }
}
