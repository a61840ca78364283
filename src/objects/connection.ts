// One end of a Pipe. A pipe is a queue for each direction, and a lock for each end.
//
// Each end has a ReadWriteLock, which every Connection of that end holds shared. So an end is gone
// when its lock is free, and the death of the last holder wakes a waiter at once. Then both queues
// are ended: what is in them can still be received, and after that comes the end.
import { brand } from '../brand.js';
import { EndedError, TimeoutError, label } from '../errors.js';
import type { Guard } from '../holds/guard.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { type SyncWaitOptions, type WaitOptions, readSyncWait, readWait } from '../options.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { waitFor } from '../waiting/pending-waits.js';
import { Composite } from './composite.js';
import { Queue } from './queue.js';
import { ReadWriteLock } from './read-write-lock.js';
import type { Handle } from './shared.js';

/** The handle of a Connection. It also says which end of the pipe it is. */
export interface ConnectionHandle extends Handle<'Connection'> {
  /** The end of the pipe. */
  readonly end: 1 | 2;
}

/** One direction of a pipe. */
class Direction<T> extends Queue<T> {
  /** Resolves when there is an item, or when it has been ended. Takes nothing. */
  async waitForItem(options: WaitOptions | undefined): Promise<void> {
    const { getters } = this.transfer;
    const look = () => {
      if (this.empty() && !this.ended()) return undefined;
      getters.passOn(); // the item is for somebody else
      return true;
    };
    if (look() === undefined) await waitFor<true>(this, { waitSet: getters, take: look }, options);
  }

  /** Blocks for `ms` or one slice, until there may be an item or nobody holds the lock. */
  waitForItemSync(ms: number, lock: Native<'ReadWriteLock'>): void {
    addon.Queue.waitToGetOrFree(this.native as Native<'Queue'>, lock.place, ms);
  }

  waitForRoomSync(ms: number): void {
    this.transfer.operations.waitToPut(this.native, ms);
  }

  /** Why there is no room, if that is not because it is full. */
  get whyNoRoom(): (() => Error | undefined) | undefined {
    return this.transfer.cause;
  }
}

/**
 * One end of a Pipe, in this thread. It is Python's `multiprocessing.connection.Connection`.
 * Several threads and processes may have the same end; then each item is received by one of them.
 *
 * An end is open as long as a thread has a Connection of it. When the last of them has closed it or
 * died, the other end receives what was sent before, and then EndedError. It learns of a death from
 * the kernel, at once, and of a close from the thread that closes.
 */
export class Connection<Out = unknown, In = Out> extends Composite<'Connection'> {
  static {
    brand(this, 'Connection');
  }
  readonly #end: 1 | 2;
  readonly #out: Direction<Out>;
  readonly #in: Direction<In>;
  readonly #own: ReadWriteLock;
  readonly #far: ReadWriteLock;
  /** It says that this end is open. */
  readonly #hold: Guard;
  /** Calls that wait. While there are some, the other end is watched. */
  #pending = 0;
  #watch: AbortController | undefined;

  /** @internal attach() opens the end of a handle. */
  static attach(name: string, end: unknown): Connection {
    if (end !== 1 && end !== 2) throw new TypeError(`end must be 1 or 2, not ${String(end)}`);
    return new Connection(name, end, { mustExist: true });
  }

  /** @internal Pipe() and attach() make it. */
  constructor(
    name: string,
    end: 1 | 2,
    options: { maxBytes?: number | undefined; mustExist?: true },
  ) {
    super('Connection', name);
    this.#end = end;
    const { mustExist } = options;
    const opened: Disposable[] = [];
    const keep = <T extends Disposable>(object: T): T => (opened.push(object), object);
    try {
      this.#out = keep(new Direction<Out>({ ...options, name: `${name} from ${end}` }));
      this.#in = keep(new Direction<In>({ ...options, name: `${name} from ${3 - end}` }));
      this.#own = keep(new ReadWriteLock({ name: `${name} end ${end}`, mustExist }));
      this.#far = keep(new ReadWriteLock({ name: `${name} end ${3 - end}`, mustExist }));
      this.#hold = this.#own.acquireSharedSync({ timeout: 10_000 });
    } catch (error) {
      for (const object of opened) object[Symbol.dispose]();
      throw error;
    }
  }

  // ---------------------------------------------------------------- sending

  /**
   * Sends an item. Resolves when it is in the pipe; waits for room if need be. Never blocks the
   * event loop. Items are what a Queue with the codec `'structured'` takes.
   *
   * Rejects with EndedError if the other end was closed, or its last holder has died and this
   * thread knows it; an item that was sent before that is lost. Otherwise as Queue.put().
   */
  async send(item: Out, options?: WaitOptions): Promise<void> {
    options = readWait(options);
    this.checkOpen();
    if (this.#pending === 0 && this.#named(() => this.#out.tryPut(item))) return;
    await this.#watched(() => this.#out.put(item, options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as send() rejects.
   */
  sendSync(item: Out, options?: SyncWaitOptions): void {
    options = readSyncWait(options);
    this.checkOpen();
    const tryPut = () => this.#named(() => this.#out.tryPut(item)) || undefined;
    if (tryPut()) return;
    const put = (ms: number) => {
      this.#out.waitForRoomSync(ms);
      if (this.#farIsGone()) this.#endBoth();
      return tryPut();
    };
    waitForSync(this, put, options?.timeout, { cause: this.#out.whyNoRoom });
  }

  // ---------------------------------------------------------------- receiving

  /**
   * Receives the next item, waiting for one if need be. Never blocks the event loop; a pending call
   * keeps the process alive. The calls of one thread are served in their order.
   *
   * Rejects with EndedError when the other end is closed or its last holder has died, and all that
   * it had sent was received. Otherwise as Queue.get().
   */
  async receive(options?: WaitOptions): Promise<In> {
    options = readWait(options);
    this.checkOpen();
    if (this.#pending === 0) {
      const item = this.tryReceive();
      if (item !== undefined) return item;
    }
    return this.#watched(() => this.#in.get(options));
  }

  /**
   * The same, blocking this thread.
   *
   * @throws as receive() rejects.
   */
  receiveSync(options?: SyncWaitOptions): In {
    options = readSyncWait(options);
    const item = this.tryReceive();
    if (item !== undefined) return item;
    const receive = (ms: number) => {
      this.#in.waitForItemSync(ms, this.#far.native);
      return this.tryReceive();
    };
    return waitForSync<In & {}>(this, receive as never, options?.timeout);
  }

  /**
   * Receives the next item if there is one now; undefined if there is none. Never waits.
   *
   * @throws EndedError as receive() rejects.
   */
  tryReceive(): In | undefined {
    this.checkOpen();
    const item = this.#named(() => this.#in.tryGet());
    if (item !== undefined || !this.#farIsGone()) return item;
    this.#endBoth();
    return this.#named(() => this.#in.tryGet()); // it may have sent before it went
  }

  /**
   * Can receive() have something without waiting: an item, or the end? Waits for `timeout`
   * milliseconds, 0 by default, and resolves to false then. Takes nothing. Rejects with
   * `signal.reason` or ClosedError.
   */
  async poll(options: WaitOptions = { timeout: 0 }): Promise<boolean> {
    const read = readWait(options);
    this.checkOpen();
    if (!this.#in.empty() || this.#in.ended() || this.#farIsGone()) return true;
    if (read?.timeout === 0) return false;
    try {
      await this.#watched(() => this.#in.waitForItem(read));
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /**
   * Receives until the end: `for await (const item of connection)`. You may leave the loop at any
   * time, and no item is lost.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<In> {
    this.checkOpen();
    const items = this.#in[Symbol.asyncIterator]();
    const loop: AsyncIterableIterator<In> = {
      next: () => this.#watched(() => items.next()),
      return: (value?: unknown) => items.return!(value),
      [Symbol.asyncIterator]: () => loop,
    };
    return loop;
  }

  // ---------------------------------------------------------------- the end

  /** The handle, which attach() turns into this end in another process. Does not block. */
  override toJSON(): ConnectionHandle {
    return { holdfast: 'Connection', name: this.name, end: this.#end };
  }

  /** @internal */
  protected override closeParts(): void {
    this.#hold.release();
    // The last one of this end: nobody sends into one queue and receives from the other any more.
    if (addon.ReadWriteLock.isFree(this.#own.native)) this.#endBoth();
    for (const part of [this.#in, this.#out, this.#own, this.#far]) part.close();
  }

  #farIsGone(): boolean {
    return addon.ReadWriteLock.isFree(this.#far.native);
  }

  #endBoth(): void {
    this.#in.end();
    this.#out.end();
  }

  /** Waits, and meanwhile watches the other end. */
  async #watched<T>(wait: () => Promise<T>): Promise<T> {
    this.checkOpen();
    this.#pending++;
    if (this.#watch === undefined) this.#watchFar((this.#watch = new AbortController()));
    try {
      return await wait();
    } catch (error) {
      throw this.#rename(error);
    } finally {
      if (--this.#pending === 0) {
        this.#watch.abort();
        this.#watch = undefined;
      }
    }
  }

  #watchFar({ signal }: AbortController): void {
    const onGone = () => {
      if (this.isOpen) this.#endBoth();
    };
    this.#far.waitForRelease({ signal }).then(onGone, () => {});
  }

  #named<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#rename(error);
    }
  }

  /** The end of a queue is the end of the pipe, and errors name the pipe. */
  #rename(error: unknown): unknown {
    const { kind, name } = this;
    const about = { kind, objectName: name };
    if (error instanceof EndedError) {
      const ended = `${label(kind, name)}: the other end is closed`;
      return new EndedError(ended, { ...about, cause: error });
    }
    if (error instanceof TimeoutError) {
      const message = error.message.slice(error.message.indexOf('": ') + 3);
      const cause = error.cause ?? error; // why there was no room, or else the wait itself
      return new TimeoutError(`${label(kind, name)}: ${message}`, { ...about, cause });
    }
    return error;
  }
}
