// One task of a Pool: a call of run(), or a chunk of map().
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { type Callee, shownName } from './callee.js';
import type { ReadTask } from './options.js';
import type { OrderKind } from './wire.js';

/** Hears how a task ends: `results` is what each call returned. */
export interface Ending {
  resolve(results: unknown[]): void;
  reject(error: unknown): void;
}

export class Task {
  readonly kind: OrderKind;
  readonly callee: Callee;
  readonly items: unknown[];
  readonly timeout: number | undefined;
  /** How many more deaths of its worker it survives. */
  retries: number;
  /** True once its promise has been settled. */
  hasEnded = false;
  /** True while it waits for a worker. */
  isWaiting = false;
  readonly #ending: Ending;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;

  /** `onAbort` is called when the signal of the options is aborted before the task has ended. */
  constructor(
    kind: OrderKind,
    callee: Callee,
    items: unknown[],
    { signal, timeout, retries }: ReadTask,
    ending: Ending,
    onAbort: (task: Task, reason: unknown) => void,
  ) {
    this.kind = kind;
    this.callee = callee;
    this.items = items;
    this.timeout = timeout;
    this.retries = retries;
    this.#ending = ending;
    this.#signal = signal;
    if (signal === undefined) return;
    this.#onAbort = () => onAbort(this, signal.reason);
    watchAbort(signal, this.#onAbort);
  }

  /** What messages call it. */
  get title(): string {
    return `the task ${shownName(this.callee)}()`;
  }

  resolve(results: unknown[]): void {
    this.#end();
    this.#ending.resolve(results);
  }

  reject(error: unknown): void {
    this.#end();
    this.#ending.reject(error);
  }

  #end(): void {
    this.hasEnded = true;
    if (this.#signal && this.#onAbort) unwatchAbort(this.#signal, this.#onAbort);
  }
}

/** So many tasks that have ended may be among those that wait, and as many as do wait. */
const mostEnded = 1024;

/** Tasks that wait for a worker, in order. */
export class Waiting {
  #tasks: Task[] = [];
  #first = 0;
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  add(task: Task): void {
    task.isWaiting = true;
    this.#tasks.push(task);
    this.#length++;
  }

  /** Puts back tasks that had left, in front of all others. */
  addFirst(tasks: readonly Task[]): void {
    for (const task of tasks) task.isWaiting = true;
    this.#tasks.splice(0, this.#first, ...tasks);
    this.#first = 0;
    this.#length += tasks.length;
  }

  /** The task ends while it waits. */
  forget(task: Task): void {
    task.isWaiting = false;
    this.#length--;
    if (this.#tasks.length - this.#first > 2 * this.#length + mostEnded) this.#sweep();
  }

  /** Lets go of tasks that have ended. Otherwise they stay until a worker takes what is behind. */
  #sweep(): void {
    this.#tasks = this.#tasks.slice(this.#first).filter((task) => task.isWaiting);
    this.#first = 0;
  }

  /** Takes the first task. */
  take(): Task | undefined {
    const tasks = this.#tasks;
    while (this.#first < tasks.length) {
      const task = tasks[this.#first]!;
      tasks[this.#first++] = undefined as never;
      if (this.#first === tasks.length || this.#first >= 4096) {
        tasks.splice(0, this.#first);
        this.#first = 0;
      }
      if (!task.isWaiting) continue;
      task.isWaiting = false;
      this.#length--;
      return task;
    }
    return undefined;
  }

  /** Takes all tasks. */
  takeAll(): Task[] {
    this.#sweep();
    const all = this.#tasks;
    for (const task of all) task.isWaiting = false;
    this.#tasks = [];
    this.#length = 0;
    return all;
  }
}
