// The jobs of one queue, as this thread has it open.
//
// A JoinableQueue has no event for "there may be an item". So while takers wait, this waits for an
// item itself, and keeps it for the take() that follows the news.
import type { JoinableQueue } from '../../objects/joinable-queue.js';
import type { Task } from '../../objects/task.js';
import { setImmediate } from '../../waiting/clock.js';
import type { ClusterQueueCount } from '../cluster.js';
import type { Taken } from '../engine.js';

export class LocalJobs {
  readonly #queue: JoinableQueue<string>;
  readonly #onJob: () => void;
  /** What was taken and has not ended, by the id of the delivery. */
  readonly #tasks = new Map<string, Task<string>>();
  #ids = 0;
  /** Taken in advance, for the next take(). */
  #ready: Task<string> | undefined;
  #wait: AbortController | undefined;

  constructor(queue: JoinableQueue<string>, onJob: () => void) {
    this.#queue = queue;
    this.#onJob = onJob;
  }

  async put(values: readonly string[]): Promise<void> {
    await this.#queue.putMany(values);
  }

  take(max: number): Taken[] {
    const taken: Taken[] = [];
    while (taken.length < max) {
      const task = this.#ready ?? this.#queue.tryTake();
      if (task === undefined) break;
      this.#ready = undefined;
      const id = String(++this.#ids);
      this.#tasks.set(id, task);
      const { value, deliveries } = task;
      taken.push({ id, value, deliveries, token: BigInt(deliveries) });
    }
    if (taken.length === 0) this.#waitForJob();
    return taken;
  }

  stopWaiting(): void {
    this.#wait?.abort();
    this.#wait = undefined;
  }

  settle(done: readonly string[], retry: readonly string[]): number {
    const end = (id: string, how: (task: Task<string>) => void): number => {
      const task = this.#tasks.get(id);
      if (task === undefined) return 0;
      this.#tasks.delete(id);
      how(task);
      return 1;
    };
    let known = 0;
    for (const id of done) known += end(id, (task) => task.done());
    for (const id of retry) known += end(id, (task) => task.retry());
    return known;
  }

  count(): ClusterQueueCount {
    const { unfinished, leased } = this.#queue.inspect();
    return { waiting: unfinished - leased, taken: leased };
  }

  close(): void {
    this.stopWaiting();
    this.#giveBack();
    for (const task of this.#tasks.values()) task.retry();
    this.#tasks.clear();
    this.#queue.close();
  }

  #waitForJob(): void {
    if (this.#wait !== undefined) return;
    const wait = new AbortController();
    this.#wait = wait;
    this.#queue.take({ signal: wait.signal }).then(
      (task) => {
        if (this.#wait === wait) this.#wait = undefined;
        this.#ready = task;
        this.#onJob();
        // By then those who wanted it have taken it.
        setImmediate(() => this.#giveBack());
      },
      () => {},
    );
  }

  #giveBack(): void {
    const task = this.#ready;
    this.#ready = undefined;
    task?.retry();
  }
}
