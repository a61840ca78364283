// The dead-letter queue of a JoinableQueue: which items go there, and how.
//
// An item goes there in two steps: it is put into the dead-letter queue, and then it is done in its
// own. If the process is killed between the two, the item is delivered once more, and is put there
// twice.
import { EncodeError } from '../errors.js';
import type { SyncWaitOptions, WaitOptions } from '../options.js';
import type { StepOptions } from '../waiting/deadline.js';
import type { DeadItem, LeasedTask, Task } from './task.js';

/** What a Graveyard needs of a JoinableQueue. */
export interface DeadQueue<T> {
  put(item: DeadItem<T>, options?: WaitOptions): Promise<void>;
  putSync(item: DeadItem<T>, options?: SyncWaitOptions): void;
  tryPut(item: DeadItem<T>): boolean;
  close(): void;
}

/** The reason of an item whose last taker gave none. */
const endedWithoutDone = 'its last taker ended without done()';

export class Graveyard<T> {
  readonly #maxDeliveries: number | undefined;
  readonly #open: () => DeadQueue<T>;
  #dead: DeadQueue<T> | undefined;
  /** False if the last item did not fit in. */
  hasRoom = true;

  /** Opens the dead-letter queue at once if there is a limit. */
  constructor(maxDeliveries: number | undefined, open: () => DeadQueue<T>) {
    this.#maxDeliveries = maxDeliveries;
    this.#open = open;
    if (maxDeliveries !== undefined) this.#dead = open();
  }

  /** What the handle of the queue has of it. */
  get forHandle(): { maxDeliveries?: number } {
    const maxDeliveries = this.#maxDeliveries;
    return maxDeliveries === undefined ? {} : { maxDeliveries };
  }

  get dead(): DeadQueue<T> {
    return (this.#dead ??= this.#open());
  }

  /** Was this the last delivery that the item may have? */
  isLast(deliveries: number): boolean {
    return this.#maxDeliveries !== undefined && deliveries >= this.#maxDeliveries;
  }

  /** Should the item not have been delivered any more? Its taker died, or had another limit. */
  isDue(deliveries: number): boolean {
    return this.#maxDeliveries !== undefined && deliveries > this.#maxDeliveries;
  }

  /** False if the dead-letter queue is full. */
  tryBury(task: Task<T>, reason: string | undefined): boolean {
    const letter = this.#letter(task, reason);
    this.hasRoom = attempt(letter, (it) => this.dead.tryPut(it));
    return this.hasRoom;
  }

  async bury(task: LeasedTask<T>, { timeout, signal }: StepOptions): Promise<void> {
    const letter = this.#letter(task);
    await attempt(letter, (it) => this.dead.put(it, { timeout, signal }));
    task.done();
  }

  burySync(task: LeasedTask<T>, timeout: number | undefined): void {
    attempt(this.#letter(task), (it) => this.dead.putSync(it, { timeout }));
    task.done();
  }

  /** A delivery that should not have been does not count: nobody got the item. */
  #letter({ value, deliveries, priority }: Task<T>, reason = endedWithoutDone): DeadItem<T> {
    const counted = deliveries - (this.isDue(deliveries) ? 1 : 0);
    return { value, deliveries: counted, priority, reason };
  }

  close(): void {
    this.#dead?.close();
  }
}

/** An item of a codec of its own may be no value for the dead-letter queue. Its story is. */
function attempt<T, R>(item: DeadItem<T>, put: (item: DeadItem<T>) => R): R {
  try {
    return put(item);
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    return put({ ...item, value: undefined, reason: `${item.reason}; ${error.message}` });
  }
}
