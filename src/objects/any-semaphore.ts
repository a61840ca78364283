// What Semaphore and BoundedSemaphore have in common: everything but whether a permit has a holder.
import type { Guard } from '../holds/guard.js';
import type { FreeOperations, Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import type { Need } from '../deadlocks/record.js';
import {
  type AcquireOptions,
  type SyncAcquireOptions,
  readAcquire,
  readSyncAcquire,
} from '../options.js';
import { waitUntilFree, waitUntilFreeSync } from '../waiting/free-wait.js';
import type { WaitSet } from '../waiting/wait-set.js';
import { PermitLine, type PermitSource } from './permit-line.js';
import { Shared, lineName, unlinkIfThere } from './shared.js';

/** What stands for a permit that was taken. */
interface PermitOf {
  Semaphore: true;
  BoundedSemaphore: Guard;
}
type Kind = keyof PermitOf;

/** Permits, and waits for them. */
export abstract class AnySemaphore<K extends Kind> extends Shared<K> {
  /** Made at the first acquisition of several permits. */
  #line: PermitLine<PermitOf[K]> | undefined;

  /**
   * Waits until a permit is free, and takes none: by the time that the promise has resolved,
   * somebody else may have it. Never blocks the event loop. Waits behind the acquisitions of this
   * thread that wait already. Rejects as acquire() does.
   */
  async waitForRelease(options?: AcquireOptions): Promise<void> {
    options = readAcquire(options);
    await waitUntilFree(this, this.#place, options);
  }

  /**
   * The same, blocking this thread.
   *
   * @throws TimeoutError after `timeout`; of a BoundedSemaphore also DeadlockError, as
   * acquireSync() does.
   */
  waitForReleaseSync(options?: SyncAcquireOptions): void {
    options = readSyncAcquire(options);
    if (options?.timeout === undefined) this.checkNotAllHeld();
    waitUntilFreeSync(this, this.#place, options);
  }

  get #place(): {
    operations: FreeOperations<Native<Kind>>;
    native: Native<Kind>;
    waitSet: WaitSet;
    need: (() => Need) | undefined;
  } {
    const { native, waiters, need } = this;
    return { operations: addon[this.kind], native, waitSet: waiters, need };
  }

  /** @internal Woken when a permit may be free. */
  protected abstract get waiters(): WaitSet;

  /** @internal What a wait for a permit needs; undefined where nobody knows who holds one. */
  protected get need(): (() => Need) | undefined {
    return undefined;
  }

  /** @internal Throws DeadlockError if this thread would wait for itself, and for ever. */
  checkNotAllHeld(): void {}

  /** @internal How the line takes one permit. */
  protected abstract get source(): PermitSource<PermitOf[K]>;

  /** @internal For several permits at once. Throws ClosedError after close(). */
  protected get line(): PermitLine<PermitOf[K]> {
    void this.native; // closed?
    return (this.#line ??= new PermitLine<PermitOf[K]>(this, this.source));
  }

  /**
   * Closes this object in this thread. Waits that were begun through it reject with ClosedError,
   * and hold no permit. Otherwise as every object.
   *
   * @throws HeldError if this thread holds a permit of a BoundedSemaphore, and acquired it through
   * this object or has no other object open to it.
   */
  override close(): void {
    if (this.isOpen) this.#line?.giveBackAll();
    super.close();
  }

  /** @internal */
  protected override closed(): void {
    this.#line?.close();
  }

  /**
   * Takes the name away at once, as unlink() of every object does.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  override unlink(): void {
    super.unlink();
    unlinkIfThere('Lock', lineName(this));
  }
}
