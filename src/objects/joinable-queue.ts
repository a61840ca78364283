import type { NativeJoinableQueue, NativeJoinableQueueState } from '../native/bindings.js';
import { EndedError, NotOwnerError, label } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../options.js';
import { checkSyncWait, checkWait } from '../options.js';
import { type Kept, Queue, type QueueOptions } from './queue.js';
import { answer, inbox } from '../records/mailbox.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { waitFor } from '../waiting/pending-waits.js';

/** What `inspect()` shows of a JoinableQueue: a snapshot, old as soon as it is taken. */
export interface JoinableQueueState extends Readonly<NativeJoinableQueueState> {
  readonly kind: 'Queue' | 'JoinableQueue';
  readonly name: string;
}

/**
 * An item on lease: take() hands it out, and it is in the queue until done(). `using task = await
 * queue.take()` gives it back at the end of the block unless done() was called.
 */
export interface Task<T> extends Disposable {
  readonly value: T;
  /**
   * How often the item has been handed out, 1 the first time. More than once means that a taker died or
   * called retry(). After a death at one particular instant it is one too high.
   */
  readonly deliveries: number;
  /**
   * It is worked off: the item leaves the queue, and counts for join(). A second call does nothing.
   *
   * @throws NotOwnerError after the loop over tasks() that handed it out has given it back.
   */
  done(): void;
  /**
   * Gives the item back: it is the next to be had, by anyone, in its old place. Does nothing after
   * done().
   */
  retry(): void;
}

/**
 * A Queue that knows what has not been worked off yet, and whose items can be leased. Like Python's
 * `multiprocessing.JoinableQueue`, and with at-least-once delivery beside it.
 *
 * take() leases an item until done(). If its taker dies, by SIGKILL at any instruction too, or its thread
 * ends, the item is handed out again. So everything that was put is done at least once; a taker that was
 * killed between finishing its work and done() has it done twice.
 *
 * get() takes an item for good, and taskDone() says that it was worked off, as in Python: what a killed
 * consumer had got is lost, and join() waits for it for ever. Do not use both forms for the same items.
 *
 * Leased items stay where they are. They count for maxSize, and what was done behind one that is not
 * gives its bytes back only when that one is done, too: choose maxBytes for the slowest task.
 */
export class JoinableQueue<T = unknown> extends Queue<T, NativeJoinableQueue> {
  /**
   * Opens the queue, or makes it. Blocks only while another process has the directory locked.
   *
   * @throws as Queue does.
   */
  constructor(options: QueueOptions<T> = {}) {
    super(options, 'JoinableQueue');
  }

  /**
   * Leases the first item that can be had, waiting for one if need be. Never blocks the event loop.
   *
   * Rejects with EndedError when the queue has been ended and nothing can come back any more; with
   * DecodeError for an item that cannot be read (it counts as done); otherwise as get().
   */
  async take(options?: WaitOptions): Promise<Task<T>> {
    return this.#task(await this.waitFor(() => this.#lease(), options));
  }

  /** The same, blocking this thread. */
  takeSync(options?: SyncWaitOptions): Task<T> {
    return this.#task(this.waitForSync(() => this.#lease(), options));
  }

  /** Leases an item if one can be had now. */
  tryTake(): Task<T> | undefined {
    const lease = this.#lease();
    return lease && this.#task(lease);
  }

  /**
   * Leases items one after the other until the queue has been ended and nothing can come back any more:
   * `for await (const task of queue.tasks())`. Waits as take() does; `options` are those of each take().
   *
   * The lease lasts as long as the body of the loop. When the body ends without done() or retry(), by
   * `break` or by a throw too, the item is given back as by retry(), and the loop may get it again. done()
   * after that throws NotOwnerError, because the item may be somebody else's by then. To work on several
   * items at a time run several loops, or take() them.
   *
   * If the consumer dies in the body, the item is handed out again.
   *
   * The loop throws what take() rejects with, except EndedError, which ends it. After a DecodeError a new
   * loop goes on with the next item. (A loop over the queue itself is that of Queue: it gets items for good.)
   */
  async *tasks(options?: WaitOptions): AsyncGenerator<Task<T>, void, void> {
    for (;;) {
      let task: LeasedTask<T>;
      try {
        task = this.#task(await this.waitFor(() => this.#lease(), options));
      } catch (error) {
        if (error instanceof EndedError) return;
        throw error;
      }
      try {
        yield task;
      } finally {
        // The error of a closed queue must not hide what the body threw.
        if (this.isOpen) task.lapse();
      }
    }
  }

  #lease(): Lease | undefined {
    const bytes = this.native.take() ?? inbox;
    if (!this.succeeded()) return undefined;
    return { ...this.keepItem(bytes), place: answer[3]!, delivery: answer[4]! };
  }

  #task(lease: Lease): LeasedTask<T> {
    const { place, delivery } = lease;
    const settle = (done: boolean) => this.native.settle(place, delivery, done);
    const lapsed = () => {
      const message = `${label(this.kind, this.name)}: the loop over tasks() has given this item back`;
      throw new NotOwnerError(message, { kind: this.kind, objectName: this.name });
    };
    try {
      return new LeasedTask(this.decodeKept(lease), delivery, settle, lapsed);
    } catch (error) {
      settle(true);
      throw error;
    }
  }

  /**
   * Says that an item which get() took out has been worked off.
   *
   * @throws OverReleaseError if it is called more often than there were items. Blocks as Task.done() does.
   */
  taskDone(): void {
    this.native.taskDone();
  }

  /**
   * Waits until everything that was put has been worked off: done(), or got and taskDone(). Never
   * blocks the event loop. Rejects with TimeoutError, `signal.reason` or ClosedError.
   */
  async join(options?: WaitOptions): Promise<void> {
    checkWait(options);
    const { native } = this;
    const take = () => native.finished() || undefined;
    if (take()) return;
    await waitFor(this, { waitSet: native.rest, take, retryAll: true }, options);
  }

  /** The same, blocking this thread. */
  joinSync(options?: SyncWaitOptions): void {
    checkSyncWait(options);
    const { native } = this;
    if (native.finished()) return;
    waitForSync(this, (ms) => native.waitToJoin(ms) || undefined, options?.timeout);
  }

  /**
   * Items that can be had: neither leased nor gone. For the instant of the call, and give or take what
   * others are just doing. Does not block.
   */
  override size(): number {
    return super.size();
  }

  /** Items that were put and are not worked off. Does not block. */
  unfinished(): number {
    return this.native.inspect().unfinished;
  }

  /** A snapshot of its state and counters. Does not block. */
  override inspect(): JoinableQueueState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }
}

interface Lease extends Kept {
  readonly place: number;
  readonly delivery: number;
}

class LeasedTask<T> implements Task<T> {
  #settle: ((done: boolean) => void) | undefined;
  readonly #lapsed: () => never;
  #hasLapsed = false;
  constructor(
    readonly value: T,
    readonly deliveries: number,
    settle: (done: boolean) => void,
    lapsed: () => never,
  ) {
    this.#settle = settle;
    this.#lapsed = lapsed;
  }

  done(): void {
    if (this.#hasLapsed) this.#lapsed();
    this.#end(true);
  }

  /** Gives the item back, unless it is settled; done() throws then. */
  lapse(): void {
    this.#hasLapsed = this.#settle !== undefined;
    this.#end(false);
  }

  retry(): void {
    this.#end(false);
  }

  [Symbol.dispose](): void {
    this.#end(false);
  }

  #end(done: boolean): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    settle(done);
    this.#settle = undefined;
  }
}
