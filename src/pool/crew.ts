// The crew of a Pool: which worker gets which task, and what becomes of the tasks of a worker that
// ends.
import { ClosedError, EncodeError, ProcessError } from '../errors.js';
import { endedWithout } from '../process/outcome.js';
import { type Thrown, messageOf, restore } from '../records/thrown.js';
import { type Timer, clearTimeout, setInterval } from '../waiting/clock.js';
import { type Callee, keyOf } from './callee.js';
import { Limits } from './limits.js';
import { Member, type Owner } from './member.js';
import type { ReadPool } from './options.js';
import type { Page } from './page.js';
import { memoryOf } from './memory.js';
import { type Task, Waiting } from './task.js';
import type { Initializer } from './worker.js';
import { type Answer, answerKinds } from './wire.js';

/** A worker has so many orders at most: the one that it runs, and others that wait behind it. */
const ordersAhead = 4;
/** After so many workers in a row that ended before they were ready, there are no more attempts. */
const mostFailures = 3;
/** The same for those that were killed by a signal. */
const mostKilled = 100;
const watch_ms = 100;
/** A new worker loads so many functions before its first task. */
const mostCallees = 16;

export class Crew implements Owner {
  readonly options: ReadPool;
  readonly members = new Set<Member>();
  readonly waiting = new Waiting();
  /** Tasks that have been settled, by how. */
  readonly settled = { done: 0, failed: 0 };
  readonly #name: string;
  readonly #page: Page;
  readonly #initializer: Initializer | undefined;
  readonly #free: number[];
  /** Keeps this process alive while there are tasks, and looks after memory. */
  readonly #watch: Timer;
  readonly #limits = new Limits((member, task, error) => this.#kill(member, task, error));
  /** What tasks have called lately, by keyOf(), in the order of their last answers. */
  readonly #callees = new Map<string, Callee>();
  #lastCallee: Callee | undefined;
  #started = 0;
  #failures = 0;
  #killed = 0;
  /** Why the pool is of no use any more. */
  #broken: unknown;
  #isClosing = false;
  #isDispatching = false;
  /** True if dispatch() was called meanwhile. */
  #isMissed = false;
  #onAllEnded: (() => void) | undefined;

  /** @throws as Process.start() does; no process is left then. */
  constructor(options: ReadPool, name: string, page: Page, initializer: Initializer | undefined) {
    this.options = options;
    this.#name = name;
    this.#page = page;
    this.#initializer = initializer;
    this.#free = Array.from({ length: options.processes }, (_, i) => options.processes - 1 - i);
    this.#watch = setInterval(() => this.#look(), watch_ms).unref();
    try {
      while (this.#free.length > 0) this.#start();
    } catch (error) {
      void this.terminate();
      throw error;
    }
  }

  /** Takes a task. */
  add(task: Task): void {
    if (this.#broken !== undefined) {
      task.reject(this.#broken);
      return;
    }
    this.waiting.add(task);
    this.dispatch();
  }

  /**
   * A new worker loads what others have called. Not what has no answer yet: a module that ends its
   * process, or never ends to load, costs the tasks that call it, and no others.
   */
  #remember(callee: Callee): void {
    if (this.#lastCallee === callee) return;
    this.#lastCallee = callee;
    const key = keyOf(callee);
    this.#callees.delete(key);
    this.#callees.set(key, callee);
    if (this.#callees.size <= mostCallees) return;
    const [oldest] = this.#callees.keys();
    this.#callees.delete(oldest!);
  }

  /** How many tasks there are, and how many workers have some of them. */
  get load(): { tasks: number; busy: number } {
    let [tasks, busy] = [this.waiting.length, 0];
    for (const { load } of this.members) {
      tasks += load;
      if (load > 0) busy++;
    }
    return { tasks, busy };
  }

  /** Gives waiting tasks to workers: first to those that have nothing to do. */
  dispatch(): void {
    // Getters of arguments run while a task is given, and may call the pool.
    this.#isMissed = true;
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      while (this.#isMissed) {
        this.#isMissed = false;
        this.#giveAll();
      }
    } finally {
      this.#isDispatching = false;
    }
    this.#tell();
  }

  #giveAll(): void {
    while (this.waiting.length > 0) {
      const member = this.#leastLoaded();
      if (member === undefined) break;
      const task = this.waiting.take();
      if (task === undefined) break;
      this.#give(member, task);
    }
    if (this.waiting.length === 0) this.#share();
  }

  #leastLoaded(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.members) {
      if (!member.mayTake(best === undefined ? ordersAhead : best.load)) continue;
      best = member;
      if (member.load === 0) break;
    }
    return best;
  }

  #give(member: Member, task: Task): void {
    try {
      member.give(task);
    } catch (error) {
      const reason = error instanceof TypeError ? new EncodeError(error.message) : error;
      if (!task.hasEnded) this.#fail(task, this.#broken ?? reason);
      return;
    }
    if (task.hasEnded && member.revoke(task)) return; // a getter has aborted it
    this.#limits.begin(member, task);
    if (member.given >= this.options.maxTasksPerChild) member.retire();
  }

  /** Gives an idle worker a task that waits behind another one. */
  #share(): void {
    for (const idle of this.members) {
      if (idle.load > 0 || !idle.mayTake(1)) continue;
      let busiest: Member | undefined;
      for (const member of this.members) {
        if (member.load > Math.max(1, busiest?.load ?? 0)) busiest = member;
      }
      const task = busiest?.takeBack();
      if (task === undefined) return;
      this.#give(idle, task);
    }
  }

  // What members tell

  onReady(): void {
    this.#failures = 0;
    this.#killed = 0;
    this.dispatch();
  }

  onUseless(thrown: unknown): void {
    const cause = restore(thrown as Thrown, this.options.errors);
    const message = `${this.#name}: the initializer threw: ${messageOf(cause)}`;
    this.#break(new ProcessError(message, { cause }));
  }

  onAnswers(member: Member): void {
    const { maxMemory } = this.options;
    if (maxMemory !== undefined && !member.isRetired && member.page.memory > maxMemory) {
      member.retire();
    }
    this.dispatch();
  }

  onRefused(task: Task, error: unknown): void {
    this.#fail(task, error);
  }

  settle(task: Task, [kind, , items]: Answer, failure: unknown): void {
    this.#remember(task.callee);
    if (task.hasEnded) return;
    if (failure !== undefined) this.#fail(task, failure);
    else if (kind === answerKinds.done) this.#succeed(task, items);
    else if (kind === answerKinds.refused) this.#fail(task, new EncodeError(items[0] as string));
    else this.#fail(task, restore(items[0] as Thrown, this.options.errors));
  }

  onEnd(member: Member, exitCode: number): void {
    this.members.delete(member);
    this.#free.push(member.index);
    const { tasks, running, killedFor, isReady } = member;
    const back = tasks.filter((task) => task !== running && !task.hasEnded);
    if (running !== undefined && !running.hasEnded) {
      if (running.retries > 0) {
        running.retries--;
        back.unshift(running);
      } else this.#fail(running, this.#whyLost(running, member, exitCode));
    }
    this.#putBack(back);
    if (!isReady && killedFor === undefined) this.#countFailure(member, exitCode);
    this.#refill();
    this.dispatch();
    if (this.members.size === 0) this.#onAllEnded?.();
  }

  #whyLost(task: Task, { killedFor, process }: Member, exitCode: number): unknown {
    if (killedFor) return killedFor.error;
    const worker = `${task.title} was lost: its worker ${process.name} (pid ${process.pid})`;
    return endedWithout(worker, exitCode, 'while it ran');
  }

  /** A worker ended that had not been ready. */
  #countFailure({ process }: Member, exitCode: number): void {
    if (exitCode < 0) this.#killed++;
    else this.#failures++;
    if (this.#failures < mostFailures && this.#killed < mostKilled) return;
    this.#break(endedWithout(`the worker ${process.name}`, exitCode, 'before it was ready'));
  }

  // Workers

  #start(): void {
    const index = this.#free.pop()!;
    const name = `${this.#name}-worker-${++this.#started}`;
    const told = { initializer: this.#initializer, callees: [...this.#callees.values()].reverse() };
    try {
      const member = new Member(this, this.#page, index, name, told);
      this.members.add(member);
      if (this.#isClosing) void member.process.join(); // close() keeps this process alive
    } catch (error) {
      this.#free.push(index);
      throw error;
    }
  }

  #refill(): void {
    if (this.#broken !== undefined || (this.#isClosing && this.waiting.length === 0)) return;
    try {
      while (this.#free.length > 0) this.#start();
    } catch (error) {
      // The system has no room for more. The workers that are left go on.
      if (this.members.size === 0) this.#break(error);
    }
  }

  #break(error: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    for (const task of this.waiting.takeAll()) this.#fail(task, error);
    for (const member of this.members) member.retire();
  }

  // The end of a task

  #succeed(task: Task, items: unknown[]): void {
    this.#limits.end(task);
    this.settled.done++;
    task.resolve(items);
  }

  #fail(task: Task, error: unknown): void {
    this.#limits.end(task);
    this.settled.failed++;
    task.reject(error);
  }

  /** Ends a task that has not begun. One that runs goes on: its worker is returned. */
  forget(task: Task, error: unknown): Member | undefined {
    if (task.hasEnded) return undefined;
    if (task.isWaiting) this.waiting.forget(task);
    else {
      const member = [...this.members].find(({ tasks }) => tasks.includes(task));
      if (member !== undefined && !member.revoke(task)) return member;
    }
    this.#fail(task, error);
    this.dispatch();
    return undefined;
  }

  /** Ends a task from outside: withdraws it if it waits, and kills its worker if it runs. */
  withdraw(task: Task, error: unknown): void {
    const member = this.forget(task, error);
    if (member === undefined) return;
    this.#fail(task, error);
    this.#kill(member, task, error);
  }

  /**
   * Kills the worker of a task. First it takes back what has not begun: the worker could begin it
   * before it dies, and the death would cost a task that has done nothing wrong. If another task
   * has begun all the same, this one has ended, and its answer is on the way.
   */
  #kill(member: Member, task: Task, error: unknown): void {
    this.#putBack(member.takeBackAll());
    if (member.last === task) member.kill(error);
    this.dispatch();
  }

  /** Tasks that had left wait again, in front of all others. */
  #putBack(tasks: readonly Task[]): void {
    if (this.#broken === undefined) this.waiting.addFirst(tasks);
    else for (const task of tasks) this.#fail(task, this.#broken);
  }

  // The watch

  #look(): void {
    const { maxMemory } = this.options;
    if (maxMemory === undefined) return;
    for (const member of this.members) {
      const bytes = member.load > 0 ? memoryOf(member.process.pid!) : undefined;
      if (bytes === undefined || bytes <= maxMemory) continue;
      this.#putBack(member.takeBackAll());
      const task = member.last;
      const what = `${task?.title ?? 'its worker'} had ${bytes} bytes of memory`;
      member.kill(new ProcessError(`${what}, more than maxMemory (${maxMemory})`));
      this.dispatch();
    }
  }

  #tell(): void {
    const { done, failed } = this.settled;
    const { tasks, busy } = this.load;
    this.#page.tell(tasks - busy, busy, done, failed);
    if (tasks > 0) this.#watch.ref();
    else this.#watch.unref();
    if (tasks === 0 && this.#isClosing) for (const member of this.members) member.retire();
  }

  // The end of the crew

  /** Resolves when all tasks have been done and all workers have ended. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const ended = this.#allEnded();
    this.dispatch();
    await ended;
    clearTimeout(this.#watch);
  }

  /** Kills the workers. Resolves when they have ended. */
  async terminate(): Promise<void> {
    const error = new ClosedError(`${this.#name}: it was terminated`);
    this.#isClosing = true;
    const ended = this.#allEnded();
    const tasks = [...this.members].flatMap((member) => member.tasks);
    this.#break(error);
    for (const member of this.members) member.kill(error);
    for (const task of tasks) if (!task.hasEnded) this.#fail(task, error);
    await ended;
    clearTimeout(this.#watch);
  }

  #allEnded(): Promise<void> {
    if (this.members.size === 0) return Promise.resolve();
    const before = this.#onAllEnded;
    for (const member of this.members) void member.process.join(); // that keeps this process alive
    return new Promise((resolve) => {
      this.#onAllEnded = () => {
        before?.();
        resolve();
      };
    });
  }
}
