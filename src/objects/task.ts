// What take() of a JoinableQueue hands out, and which of them this thread still has.
import { inspect } from 'node:util';
import { NotOwnerError, label } from '../errors.js';
import type { WaitOptions } from '../options.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { Alarm } from '../waiting/clock.js';
import { type Waiter, timedOut } from '../waiting/waiter.js';
import { readRetry } from './queue-options.js';

/** How to give an item back. */
export interface RetryOptions {
  /**
   * Milliseconds, 0 to 2147483647: nobody can take the item again before they have passed. 0 by
   * default.
   */
  delay?: number | undefined;
  /** Why it was not done. It goes into `reason` of the DeadItem, if this was the last delivery. */
  reason?: string | Error | undefined;
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
  /** The priority that it was put with, 0 to 9. */
  readonly priority: number;
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
   * Gives the item back, in its old place, so that any process may take it, after `delay` if that
   * is given. If it was delivered `maxDeliveries` times, it goes to `dead` of the queue instead.
   * Does nothing after done(). Blocks as done() does.
   *
   * @throws TypeError or RangeError for wrong options; the item stays on lease then.
   */
  retry(options?: RetryOptions): void;
}

/** An item that was delivered too often: what `dead` of a JoinableQueue has. */
export interface DeadItem<T> {
  /** The item. undefined if it cannot be put into another queue. */
  readonly value: T | undefined;
  /** How often it had been handed out. */
  readonly deliveries: number;
  /** The priority that it was put with. */
  readonly priority: number;
  /** Of its last retry(); or that its last taker ended without done(). */
  readonly reason: string;
}

/** @internal How a lease can end: in the queue or in its dead-letter queue. */
export interface Settlement<T> {
  settle(done: boolean): void;
  retryLater(delay: number): void;
  /** Moves the item to the dead-letter queue. False if it must not, or cannot now. */
  bury(task: Task<T>, reason: string | undefined): boolean;
}

const belongs = refusal('a Task: it belongs to the thread that took it; pass its value instead');

/** @internal */
export class LeasedTask<T> implements Task<T> {
  readonly [uncloneable] = belongs;
  /** Undefined when the lease is over. */
  #settlement: Settlement<T> | undefined;
  #hasLapsed = false;
  readonly #queue: { readonly kind: string; readonly name: string };
  readonly #leases: Leases;

  constructor(
    readonly value: T,
    readonly deliveries: number,
    readonly priority: number,
    settlement: Settlement<T>,
    queue: { readonly kind: string; readonly name: string },
    leases: Leases,
  ) {
    this.#settlement = settlement;
    this.#queue = queue;
    this.#leases = leases;
    leases.add(this);
  }

  done(): void {
    if (this.#hasLapsed) {
      const { kind, name } = this.#queue;
      throw new NotOwnerError(
        `${label(kind, name)}: the loop over tasks() has given this item back`,
        { kind, objectName: name },
      );
    }
    this.#end((lease) => lease.settle(true));
  }

  retry(options?: RetryOptions): void {
    const [delay, reason] = readRetry(options);
    this.#giveBack(delay, reason);
  }

  [Symbol.dispose](): void {
    this.#giveBack(0);
  }

  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }

  /** Gives the item back unless its lease is over. A later done() is refused then. */
  lapse(): void {
    this.#hasLapsed = this.#settlement !== undefined;
    this.#giveBack(0);
  }

  #giveBack(delay: number, reason?: string): void {
    this.#end((lease) => {
      if (lease.bury(this, reason)) lease.settle(true);
      else if (delay > 0) lease.retryLater(delay);
      else lease.settle(false);
    });
  }

  #end(how: (lease: Settlement<T>) => void): void {
    const settlement = this.#settlement;
    if (settlement === undefined) return;
    how(settlement);
    this.#settlement = undefined;
    this.#leases.delete(this);
  }
}

/** @internal The tasks that were taken through one object and are still on lease. */
export class Leases {
  // Weak: a task that nobody has any more stays on lease, but its value need not stay in memory.
  #count = 0;
  readonly #counted = new WeakSet<object>();
  readonly #onNone = new Set<() => void>();

  add(task: object): void {
    this.#counted.add(task);
    this.#count++;
  }

  delete(task: object): void {
    if (!this.#counted.delete(task)) return;
    this.#count--;
    if (this.#count === 0) for (const callback of this.#onNone) callback();
  }

  /** Resolves when there is none. Rejects with TimeoutError or `signal.reason`. */
  async whenNone(waiter: Waiter, options: WaitOptions | undefined): Promise<void> {
    if (this.#count === 0) return;
    const { timeout, signal } = options ?? {};
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#onNone.delete(onNone);
        alarm?.cancel();
        if (signal) unwatchAbort(signal, onAbort);
        settle();
      };
      const onNone = () => end(resolve);
      const onAbort = () => end(() => reject(signal!.reason));
      this.#onNone.add(onNone);
      if (signal) watchAbort(signal, onAbort);
      const alarm =
        timeout === undefined
          ? undefined
          : new Alarm(timeout, () => end(() => reject(timedOut(waiter, timeout))));
    });
  }
}
