import { brand } from '../brand.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  readOpen,
  readSyncWait,
  readWait,
} from '../options.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { waitFor } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';

const operations = addon.Event;

/** What `inspect()` shows of an Event: a snapshot, which may be out of date when it is read. */
export interface EventState {
  /** The class of the object. */
  readonly kind: 'Event';
  /** The name that it was opened with. */
  readonly name: string;
  /** True if the flag is set. */
  readonly isSet: boolean;
  /** How often it went from clear to set. */
  readonly sets: number;
  /** Waits for it now, in live threads of all processes. */
  readonly waiters: number;
}

/**
 * A flag that threads can wait for. It is the same in every process and worker thread of the user
 * that opens its name. It is Python's `multiprocessing.Event` with one promise more: a set() ends
 * every wait that had begun, even if clear() follows at once.
 *
 * Its whole state is one word, so a crash at any instruction leaves it set or clear. If a process
 * is killed after it set the flag and before it woke the waiters, they go on 50 ms later at the
 * most.
 */
export class Event extends Shared<'Event'> {
  static {
    brand(this, 'Event');
  }
  readonly #waiters: WaitSet;

  /**
   * Opens the event, or makes it, with the flag clear. Blocks only while another process has the
   * directory locked.
   *
   * @throws as Lock does.
   */
  constructor(options: OpenOptions = {}) {
    super('Event', readOpen(options));
    this.#waiters = new WaitSet(operations.waiters, this.native);
  }

  /** Sets the flag and ends every wait. Does not block. */
  set(): void {
    operations.set(this.native);
  }

  /** Clears the flag. Waits that begin after this wait for the next set(). Does not block. */
  clear(): void {
    operations.clear(this.native);
  }

  /** Is the flag set? Holds for the instant of the call. Does not block. */
  isSet(): boolean {
    return operations.isSet(this.native);
  }

  /**
   * Waits until the flag is set. Never blocks the event loop; a pending wait keeps the process
   * alive.
   *
   * Rejects with TimeoutError after `timeout`, with `signal.reason` on abort, with ClosedError on
   * close(), and with TypeError or RangeError for a wrong argument.
   */
  async wait(options?: WaitOptions): Promise<void> {
    options = readWait(options);
    const { native } = this;
    const since = operations.sets(native);
    const take = () => operations.happened(native, since) || undefined;
    if (take()) return;
    await waitFor(this, { waitSet: this.#waiters, take, retryAll: true }, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; TypeError or RangeError for a wrong argument.
   */
  waitSync(options?: SyncWaitOptions): void {
    options = readSyncWait(options);
    const { native } = this;
    const since = operations.sets(native);
    if (operations.happened(native, since)) return;
    const takeWithin = (ms: number) => operations.wait(native, since, ms) || undefined;
    waitForSync(this, takeWithin, options?.timeout);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): EventState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }
}
