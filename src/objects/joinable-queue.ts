import { inspect } from 'node:util';
import { brand } from '../brand.js';
import { EndedError, NotOwnerError, label } from '../errors.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { type SyncWaitOptions, type WaitOptions, readSyncWait, readWait } from '../options.js';
import { type Lease, type Received, result } from '../records/mailbox.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { waitFor } from '../waiting/pending-waits.js';
import { Recall, calledOff } from '../waiting/recall.js';
import { WaitSet } from '../waiting/wait-set.js';
import { Queue, type QueueOptions, type QueueState } from './queue.js';
import type { Handle } from './shared.js';

const operations = addon.JoinableQueue;

/**
 * What `inspect()` shows of a JoinableQueue: a snapshot, which may be out of date when it is read.
 */
export interface JoinableQueueState extends QueueState {
  /** Items that are on lease to live threads. */
  readonly leased: number;
  /** Items that were put and are not done: join() waits for them. */
  readonly unfinished: number;
  /** Calls of join() that wait, in live threads of all processes. */
  readonly joiners: number;
}

/**
 * An item on lease: take() hands it out, and it stays in the queue until done(). `using task =
 * await queue.take()` gives it back at the end of the block, unless done() was called.
 */
export interface Task<T> extends Disposable {
  /** The item. */
  readonly value: T;
  /**
   * How often the item has been handed out, 1 the first time. More than once means that a taker
   * died or called retry(). After a death at one certain instant it is one too high.
   */
  readonly deliveries: number;
  /**
   * Says that the item is done: it leaves the queue, and join() no longer waits for it. A second
   * call does nothing, and so does a call after retry(). Blocks only while another process changes
   * the queue; if that process was stopped inside the change, for 10 s at the most.
   *
   * @throws NotOwnerError after the loop over tasks() that handed it out has given it back;
   * ClosedError if the queue was closed.
   */
  done(): void;
  /**
   * Gives the item back, in its old place, so that any process may take it. Does nothing after
   * done(). Blocks as done() does.
   */
  retry(): void;
}

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

  /**
   * Opens the queue, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Queue does.
   */
  constructor(options: QueueOptions<T> = {}) {
    super(options, 'JoinableQueue');
    this.#joiners = new WaitSet(operations.joiners, this.native);
  }

  /** @internal */
  override get native(): Native<'JoinableQueue'> {
    return super.native as Native<'JoinableQueue'>;
  }

  /**
   * Leases the first item that is neither leased nor done, waiting for one if need be. Never blocks
   * the event loop; a pending take keeps the process alive.
   *
   * Rejects with EndedError when the queue has been ended and no leased item can come back; with
   * DecodeError for an item that cannot be read (it counts as done); otherwise as get().
   */
  async take(options?: WaitOptions): Promise<Task<T>> {
    options = readWait(options);
    return this.#task(await this.waitToTake(() => this.#lease(), options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as take() rejects.
   */
  takeSync(options?: SyncWaitOptions): Task<T> {
    options = readSyncWait(options);
    return this.#task(this.waitToTakeSync(() => this.#lease(), options));
  }

  /**
   * Leases an item if there is one now. Returns undefined if there is none, or if another process
   * has the queue locked for longer than 2 ms.
   *
   * @throws EndedError when the queue has been ended and no leased item can come back;
   * DecodeError as take() rejects.
   */
  tryTake(): Task<T> | undefined {
    const lease = this.#lease();
    return lease && this.#task(lease);
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
    for (;;) {
      let task: LeasedTask<T>;
      try {
        wait.signal?.throwIfAborted();
        task = this.#task(await this.waitToTake(() => this.#lease(), wait));
      } catch (error) {
        if (error instanceof EndedError || error === calledOff) return;
        throw error;
      }
      try {
        if (recall.called) return;
        yield task;
      } finally {
        // The error of a closed queue must not hide what the body threw.
        if (this.isOpen) task.lapse();
      }
    }
  }

  #lease(): Leased | undefined {
    const record = this.transfer.received(operations.take(this.native), 'take');
    return record && { record, lease: result.lease };
  }

  #task({ record, lease: { place, delivery } }: Leased): LeasedTask<T> {
    const settle = (done: boolean) => operations.settle(this.native, place, delivery, done);
    try {
      return new LeasedTask(this.transfer.decode(record), delivery, settle, this);
    } catch (error) {
      settle(true);
      throw error;
    }
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

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): Handle<'JoinableQueue'> {
    return { holdfast: 'JoinableQueue', name: this.name };
  }
}

/** A record with the lease under which it was taken. */
interface Leased {
  readonly record: Received;
  readonly lease: Lease;
}

const belongs = refusal('a Task: it belongs to the thread that took it; pass its value instead');

class LeasedTask<T> implements Task<T> {
  readonly [uncloneable] = belongs;
  /** Undefined when the lease is over. */
  #settle: ((done: boolean) => void) | undefined;
  #hasLapsed = false;
  readonly #queue: { readonly kind: string; readonly name: string };

  constructor(
    readonly value: T,
    readonly deliveries: number,
    settle: (done: boolean) => void,
    queue: { readonly kind: string; readonly name: string },
  ) {
    this.#settle = settle;
    this.#queue = queue;
  }

  done(): void {
    if (this.#hasLapsed) {
      const { kind, name } = this.#queue;
      throw new NotOwnerError(
        `${label(kind, name)}: the loop over tasks() has given this item back`,
        { kind, objectName: name },
      );
    }
    this.#end(true);
  }

  retry(): void {
    this.#end(false);
  }

  [Symbol.dispose](): void {
    this.#end(false);
  }

  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }

  /** Gives the item back unless its lease is over. A later done() is refused then. */
  lapse(): void {
    this.#hasLapsed = this.#settle !== undefined;
    this.#end(false);
  }

  #end(done: boolean): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    settle(done);
    this.#settle = undefined;
  }
}
