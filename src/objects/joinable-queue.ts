import { brand } from '../brand.js';
import { EndedError, label } from '../errors.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import {
  type SyncWaitOptions,
  type WaitOptions,
  checkCount,
  jobOptions,
  readOptions,
  readSyncWait,
  readWait,
} from '../options.js';
import { type Encoded, type Lease, type Received, result } from '../records/mailbox.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import { Drains, Recall, calledOff } from '../waiting/recall.js';
import { WaitSet } from '../waiting/wait-set.js';
import { Graveyard } from './graveyard.js';
import { Queue } from './queue.js';
import {
  type JobQueueOptions,
  type JoinableQueueHandle,
  type JoinableQueueState,
  type PutOptions,
  type Urgency,
  readPut,
} from './queue-options.js';
import { deadName, unlinkIfThere } from './shared.js';
import { type DeadItem, LeasedTask, Leases, type Settlement, type Task } from './task.js';

const operations = addon.JoinableQueue;
const largestDeliveries = 1_000_000;

/**
 * A Queue that knows which items are not done yet, and that can lease its items. It is Python's
 * `multiprocessing.JoinableQueue` with leases added.
 *
 * take() leases an item until done(). If the taker dies, even by SIGKILL at any instruction, or its
 * thread ends, the item is handed out again. So every item is done at least once. If a taker is
 * killed after its work and before done(), the work is done twice.
 *
 * get() takes an item out without a lease, and taskDone() says that it was done, as in Python. If a
 * consumer is killed, the items that it had got are lost, and join() waits for them for ever. Do
 * not use both forms for the same items.
 *
 * Leased items stay where they are. They count for maxSize. What was done behind one of them gives
 * its bytes back only when that one is done, too: choose maxBytes for the slowest task.
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  static {
    brand(this, 'JoinableQueue');
  }
  /** Woken when all is worked off. */
  readonly #joiners: WaitSet;
  /** Of what was taken through this object. */
  readonly #leases = new Leases();
  /** Calls off the waits for items. */
  readonly #drains = new Drains();
  readonly #graveyard: Graveyard<T>;

  /**
   * Opens the queue, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Queue does.
   */
  constructor(options: JobQueueOptions<T> = {}) {
    const read = readOptions(options, jobOptions) as JobQueueOptions<T>;
    const { maxDeliveries, ...ofQueue } = read;
    if (maxDeliveries !== undefined) {
      checkCount('maxDeliveries', maxDeliveries, 1, largestDeliveries);
    }
    super(ofQueue, 'JoinableQueue');
    this.#joiners = new WaitSet(operations.joiners, this.native);
    const openDead = () =>
      new JoinableQueue<DeadItem<T>>({ name: deadName(this.name), persistent: ofQueue.persistent });
    try {
      this.#graveyard = new Graveyard(maxDeliveries, openDead);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Puts an item as Queue.put() does. With `delay` nobody can take it before so many milliseconds
   * have passed; a thread that waits for an item then looks within a slice (50 ms). A delayed item
   * keeps its place: it counts for maxSize, and what is done behind it gives no bytes back.
   *
   * An item with a `priority` is taken before all items with a lower one, and so is everything that
   * is put with it: as long as such items come, the others wait. It keeps its priority when it is
   * due, after retry(), and after the death of its taker. It takes 8 bytes more.
   */
  override async put(item: T, options?: PutOptions): Promise<void> {
    if (options === undefined) return super.put(item);
    const [urgency, wait] = readPut(options);
    if (urgency === undefined) return super.put(item, wait);
    const read = readWait(wait);
    void this.native; // closed?
    const { transfer } = this;
    const record = transfer.encode(item);
    if (!isWaitedFor(transfer.putters.tag) && this.#tryPut(record, urgency)) return;
    await this.waitToPutRecord(record, (kept) => this.#tryPut(kept, urgency), read);
  }

  /**
   * The same, blocking this thread. @throws as put() rejects.
   */
  override putSync(item: T, options?: PutOptions): void {
    if (options === undefined) return super.putSync(item);
    const [urgency, wait] = readPut(options);
    if (urgency === undefined) return super.putSync(item, wait);
    const read = readSyncWait(wait);
    void this.native; // closed?
    const record = this.transfer.encode(item);
    if (this.#tryPut(record, urgency)) return;
    this.waitToPutRecordSync(record, (kept) => this.#tryPut(kept, urgency), read);
  }

  #tryPut({ type, bytes, start, end }: Encoded, { delay, priority }: Urgency): boolean {
    const { native, transfer } = this;
    return transfer.hasPut(operations.putJob(native, type, bytes, start, end, delay, priority));
  }

  /**
   * The dead-letter queue: items that were delivered `maxDeliveries` times and not done. It has the
   * name of the queue and ` (dead)`. It is open as long as this object, and persistent if this one
   * was opened so. Without `maxDeliveries` it is opened at the first read.
   */
  get dead(): JoinableQueue<DeadItem<T>> {
    void this.native; // closed?
    return this.#graveyard.dead as JoinableQueue<DeadItem<T>>;
  }

  /** @internal */
  override get native(): Native<'JoinableQueue'> {
    return super.native as Native<'JoinableQueue'>;
  }

  /**
   * Leases the first item that is neither leased nor done, of the highest priority, waiting for one
   * if need be. Never blocks the event loop; a pending take keeps the process alive.
   *
   * Rejects with EndedError when the queue has been ended and no leased item can come back; with
   * DecodeError for an item that cannot be read (it counts as done); otherwise as get().
   */
  async take(options?: WaitOptions): Promise<Task<T>> {
    const deadline = new Deadline(readWait(options));
    const recall = this.#drains.common;
    for (;;) {
      if (this.#drains.hasBegun) throw this.#drained();
      const step = deadline.step();
      let leased: Leased;
      try {
        leased = await this.waitToTake(() => this.#lease(), { ...step, recall });
      } catch (error) {
        throw error === calledOff ? this.#drained() : error;
      }
      const task = this.#task(leased);
      if (!this.#graveyard.isDue(task.deliveries)) return task;
      await this.#bury(task, deadline.step());
    }
  }

  async #bury(task: LeasedTask<T>, step: StepOptions): Promise<void> {
    try {
      await this.#graveyard.bury(task, step);
    } finally {
      task.lapse(); // unless it was buried
    }
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as take() rejects.
   */
  takeSync(options?: SyncWaitOptions): Task<T> {
    const deadline = new Deadline(readSyncWait(options));
    for (;;) {
      if (this.#drains.hasBegun) throw this.#drained();
      const { timeout } = deadline.step();
      const task = this.#task(this.waitToTakeSync(() => this.#lease(), { timeout }));
      if (!this.#graveyard.isDue(task.deliveries)) return task;
      try {
        this.#graveyard.burySync(task, deadline.step().timeout);
      } finally {
        task.lapse();
      }
    }
  }

  /**
   * Leases an item if there is one now. Returns undefined if there is none, or if another process
   * has the queue locked for longer than 2 ms.
   *
   * @throws EndedError when the queue has been ended and no leased item can come back;
   * DecodeError as take() rejects.
   */
  tryTake(): Task<T> | undefined {
    for (;;) {
      if (this.#drains.hasBegun) throw this.#drained();
      const lease = this.#lease();
      if (lease === undefined) return undefined;
      const task = this.#task(lease);
      if (!this.#graveyard.isDue(task.deliveries)) return task;
      task.retry(); // to the dead-letter queue, unless that is full
      if (!this.#graveyard.hasRoom) return undefined;
    }
  }

  #drained(): EndedError {
    const { kind, name } = this;
    return new EndedError(`${label(kind, name)}: drain() was called`, { kind, objectName: name });
  }

  /**
   * For a shutdown: nothing more is taken through this object, and the promise resolves when no
   * task that was taken through it is on lease. Pending take() calls reject with EndedError, as
   * later ones do, and loops over tasks() end after the body that runs. Other threads and processes
   * go on, and puts are possible. Blocks nothing. Cannot be undone: open the queue to take again.
   *
   * Rejects with TimeoutError or `signal.reason`; the items that are still on lease go back when
   * this thread ends, or when you call retry().
   */
  async drain(options?: WaitOptions): Promise<void> {
    options = readWait(options);
    void this.native; // closed?
    this.#drains.begin();
    await this.#leases.whenNone(this, options);
  }

  /**
   * Leases one item after the other: `for await (const task of queue.tasks())`. Ends when the queue
   * has been ended and nothing can come back any more. Waits as take() does; `options` are those of
   * each take().
   *
   * The lease lasts as long as the body of the loop. When the body ends without done() or retry(),
   * by `break` or by a throw too, the item is given back as by retry(), and this loop may get it
   * again. done() after that throws NotOwnerError, because another taker may have the item by then.
   * To work on several items at a time run several loops, or take() them.
   *
   * If the consumer dies in the body, the item is handed out again.
   *
   * return() calls off a next() that waits. A lease that it had taken in that moment is given back,
   * and counts in `deliveries`. A Readable calls next() while the task before is still worked on,
   * unless it is made with `Readable.from(queue.tasks(), { highWaterMark: 0 })`.
   *
   * Throws what take() rejects with, except EndedError. After a DecodeError a new loop goes on with
   * the next item. A loop over the queue itself is that of Queue: it gets items for good.
   */
  tasks(options?: WaitOptions): AsyncGenerator<Task<T>, void, void> {
    const recall = new Recall();
    const loop = this.#tasks(options, recall);
    const end = { return: loop.return.bind(loop), throw: loop.throw.bind(loop) };
    // A generator that waits ends when its wait does. So that is ended first.
    return Object.assign(loop, {
      return: (value?: void | PromiseLike<void>) => (recall.call(), end.return(value)),
      throw: (error: unknown) => (recall.call(), end.throw(error)),
    });
  }

  async *#tasks(
    options: WaitOptions | undefined,
    recall: Recall,
  ): AsyncGenerator<Task<T>, void, void> {
    const wait = { ...readWait(options), recall };
    this.#drains.add(recall);
    try {
      for (;;) {
        if (this.#drains.hasBegun) return;
        let task: LeasedTask<T>;
        try {
          wait.signal?.throwIfAborted();
          task = this.#task(await this.waitToTake(() => this.#lease(), wait));
        } catch (error) {
          if (error instanceof EndedError || error === calledOff) return;
          throw error;
        }
        if (this.#graveyard.isDue(task.deliveries)) {
          await this.#bury(task, wait);
          continue;
        }
        try {
          if (recall.called) return;
          yield task;
        } finally {
          // The error of a closed queue must not hide what the body threw.
          if (this.isOpen) task.lapse();
        }
      }
    } finally {
      this.#drains.delete(recall);
    }
  }

  #lease(): Leased | undefined {
    const record = this.transfer.received(operations.take(this.native), 'take');
    return record && { record, lease: result.lease };
  }

  #task({ record, lease }: Leased): LeasedTask<T> {
    const { place, delivery, priority } = lease;
    const settlement: Settlement<T> = {
      settle: (done) => operations.settle(this.native, place, delivery, done),
      retryLater: (delay) => operations.retryLater(this.native, place, delivery, delay),
      bury: (task, reason) =>
        this.#graveyard.isLast(task.deliveries) && this.#graveyard.tryBury(task, reason),
    };
    let value: T;
    try {
      value = this.transfer.decode(record);
    } catch (error) {
      settlement.settle(true);
      throw error;
    }
    return new LeasedTask(value, delivery, priority, settlement, this, this.#leases);
  }

  /**
   * Says that an item which get() took out is done. Any process may say so of any item. Blocks as
   * Task.done() does.
   *
   * @throws OverReleaseError if it is called more often than get() took items out.
   */
  taskDone(): void {
    operations.taskDone(this.native);
  }

  /**
   * Waits until all items that were put are done: by done(), or by get() and taskDone(). Never
   * blocks the event loop; a pending join keeps the process alive. An item that a dead taker had on
   * lease is not done until another taker has done it.
   *
   * Rejects with TimeoutError, `signal.reason` or ClosedError.
   */
  async join(options?: WaitOptions): Promise<void> {
    options = readWait(options);
    const { native } = this;
    const take = () => operations.finished(native) || undefined;
    if (take()) return;
    await waitFor(this, { waitSet: this.#joiners, take, retryAll: true }, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as join() rejects.
   */
  joinSync(options?: SyncWaitOptions): void {
    options = readSyncWait(options);
    const { native } = this;
    if (operations.finished(native)) return;
    const takeWithin = (ms: number) => operations.waitToJoin(native, ms) || undefined;
    waitForSync(this, takeWithin, options?.timeout);
  }

  /** How many items were put and are not done. Does not block. */
  unfinished(): number {
    return operations.inspect(this.native).unfinished;
  }

  /** A snapshot of its state and counters. Does not block. */
  override inspect(): JoinableQueueState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }

  /** @internal */
  protected override closed(): void {
    // The constructor of Queue may close it before this class has its fields.
    if (#graveyard in this) this.#graveyard?.close();
  }

  /**
   * Takes the name away, and that of the dead-letter queue. Those who have it open keep it. Blocks
   * only while another process has the directory locked.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  override unlink(): void {
    super.unlink();
    unlinkIfThere('JoinableQueue', deadName(this.name));
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): JoinableQueueHandle {
    return { holdfast: 'JoinableQueue', name: this.name, ...this.#graveyard.forHandle };
  }
}

/** A record with the lease under which it was taken. */
interface Leased {
  readonly record: Received;
  readonly lease: Lease;
}
