// Several permits of a semaphore at once.
//
// A thread that wants several takes them one by one. If two threads did so at a time, each could
// take what the other still needs, and both would wait for ever. So they stand in line: only the
// holder of a Lock gathers permits. A thread that wants a single permit does not stand in line. The
// Lock is made at the first acquisition of several permits. If its holder dies, the next is served.
import { TimeoutError } from '../errors.js';
import type { Guard } from '../holds/guard.js';
import { type AcquireOptions, type SyncAcquireOptions, checkCount } from '../options.js';
import { Deadline } from '../waiting/deadline.js';
import { isWaitedFor, waitToAcquire } from '../waiting/pending-waits.js';
import { type Waiter, timedOut } from '../waiting/waiter.js';
import { Lock } from './lock.js';
import { lineName } from './shared.js';

/** How one permit is taken and given back. `P` stands for one that was taken. */
export interface PermitSource<P> {
  /** A promise only if it has to wait. */
  take(options: AcquireOptions): P | Promise<P>;
  /** Blocks the thread. */
  takeSync(options: SyncAcquireOptions): P;
  tryTake(): P | undefined;
  giveBack(permit: P): void;
}

/** The acquisitions of several permits by this thread, through one object. */
export class PermitLine<P> {
  readonly #semaphore: Waiter;
  readonly #source: PermitSource<P>;
  #lock: Lock | undefined;
  /** What each acquisition that still waits has taken so far, and its hold of the Lock. */
  readonly #gathered = new Map<P[], Guard>();

  constructor(semaphore: Waiter, source: PermitSource<P>) {
    this.#semaphore = semaphore;
    this.#source = source;
  }

  /** Waits until `n` permits are taken. `options` have been read. Rejects with none taken. */
  async acquire(n: number, options: AcquireOptions | undefined): Promise<P[]> {
    const { ownership } = this.#openLock();
    const deadline = new Deadline(options);
    const mustQueue = isWaitedFor(ownership.waiters.tag);
    const turn =
      (mustQueue ? undefined : ownership.tryAcquire()) ??
      (await waitToAcquire(this.#semaphore, ownership, deadline.step()));
    const taken: P[] = [];
    this.#gathered.set(taken, turn);
    try {
      while (taken.length < n) {
        options?.signal?.throwIfAborted();
        const permit = this.#source.take(deadline.step());
        // What was free is among `taken` at once: the semaphore may be closed before an await ends.
        taken.push(permit instanceof Promise ? await permit : permit);
      }
      return taken;
    } catch (error) {
      this.#giveBack(taken);
      throw error;
    } finally {
      this.#gathered.delete(taken);
      turn.release();
    }
  }

  /** The same, blocking this thread. */
  acquireSync(n: number, options: SyncAcquireOptions | undefined): P[] {
    const lock = this.#openLock();
    const deadline = new Deadline(options);
    const left = () => {
      const { timeout, deadlock } = deadline.step();
      return { timeout, deadlock };
    };
    const taken: P[] = [];
    try {
      const turn = lock.acquireSync(left());
      try {
        while (taken.length < n) taken.push(this.#source.takeSync(left()));
      } finally {
        turn.release();
      }
      return taken;
    } catch (error) {
      this.#giveBack(taken);
      if (error instanceof TimeoutError) throw timedOut(this.#semaphore, options?.timeout);
      throw error;
    }
  }

  /** Takes `n` permits if they are there now; undefined if not. */
  tryAcquire(n: number): P[] | undefined {
    const turn = this.#openLock().tryAcquire();
    if (turn === null) return undefined;
    const taken: P[] = [];
    try {
      while (taken.length < n) {
        const permit = this.#source.tryTake();
        if (permit === undefined) break;
        taken.push(permit);
      }
    } finally {
      turn.release();
    }
    if (taken.length === n) return taken;
    this.#giveBack(taken);
    return undefined;
  }

  /** Gives back what acquisitions that still wait have taken: the semaphore is to be closed. */
  giveBackAll(): void {
    for (const [taken, turn] of this.#gathered) {
      this.#giveBack(taken);
      turn.release();
    }
  }

  /** After giveBackAll(). */
  close(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }

  #openLock(): Lock {
    return (this.#lock ??= new Lock({ name: lineName(this.#semaphore) }));
  }

  #giveBack(taken: P[]): void {
    for (const permit of taken.splice(0)) this.#source.giveBack(permit);
  }
}

/** Reads the arguments of a method that has `(n?, options?)` or `(options?)`. */
export function readPermits<O extends object>(
  n: number | O | undefined,
  options: O | undefined,
  most: number,
): { n: number; options: O | undefined } {
  if (typeof n === 'object') return { n: 1, options: n };
  if (n !== undefined) checkCount('n', n, 1, most);
  return { n: n ?? 1, options };
}
