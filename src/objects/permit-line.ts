// Several permits of a semaphore at once.
//
// A thread that wants several takes them one by one. If two threads did so at a time, each could
// take what the other still needs, and both would wait for ever. So they stand in line: only the
// holder of a Lock gathers permits. A thread that wants a single permit does not stand in line. The
// Lock is made at the first acquisition of several permits. If its holder dies, the next is served.
import { TimeoutError } from '../errors.js';
import { wouldWaitForItself } from '../deadlocks/show.js';
import type { Need } from '../deadlocks/record.js';
import { type Guard, HeldGuard, heldBy } from '../holds/guard.js';
import type { Ownership } from '../holds/ownership.js';
import { type AcquireOptions, type SyncAcquireOptions, checkCount } from '../options.js';
import type { Acquirable } from '../waiting/acquirable.js';
import { waitToAcquireSync } from '../waiting/blocking-wait.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { isWaitedFor, waitToAcquire } from '../waiting/pending-waits.js';
import type { WaitSet } from '../waiting/wait-set.js';
import { type Waiter, timedOut } from '../waiting/waiter.js';
import { Lock } from './lock.js';
import { lineName } from './shared.js';

/** How one permit is taken and given back. `P` stands for one that was taken. */
export interface PermitSource<P> {
  /** A promise only if it has to wait. */
  take(options: StepOptions): P | Promise<P>;
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
    const turns = this.#openTurns();
    const deadline = new Deadline(options);
    const mustQueue = isWaitedFor(turns.waiters.tag);
    const turn =
      (mustQueue ? undefined : turns.tryAcquire()) ??
      (await waitToAcquire(this.#semaphore, turns, deadline.step()));
    const taken: P[] = [];
    const gathered = () => [turn, ...taken].filter(isHeld).map((guard) => heldBy(guard));
    this.#gathered.set(taken, turn);
    try {
      while (taken.length < n) {
        options?.signal?.throwIfAborted();
        const permit = this.#source.take(deadline.step(0, gathered));
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
    const turns = this.#openTurns();
    const deadline = new Deadline(options);
    const left = () => {
      const { timeout, deadlock } = deadline.step();
      return { timeout, deadlock };
    };
    const taken: P[] = [];
    try {
      const turn = turns.tryAcquire() ?? turns.acquireSync(left());
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
    const turn = this.#openTurns().tryAcquireOrRescue();
    if (turn === undefined) return undefined;
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

  #openTurns(): Turns {
    const lock = (this.#lock ??= new Lock({ name: lineName(this.#semaphore) }));
    return new Turns(this.#semaphore, lock.ownership);
  }

  #giveBack(taken: P[]): void {
    for (const permit of taken.splice(0)) this.#source.giveBack(permit);
  }
}

/** A permit of a Semaphore has no holder. */
function isHeld(taken: unknown): taken is HeldGuard {
  return taken instanceof HeldGuard;
}

/** The Lock of a line. Who waits for it waits for the semaphore, in the eyes of the user. */
class Turns implements Acquirable<HeldGuard> {
  readonly #semaphore: Waiter;
  readonly #ownership: Ownership;

  constructor(semaphore: Waiter, ownership: Ownership) {
    this.#semaphore = semaphore;
    this.#ownership = ownership;
  }

  get waiters(): WaitSet {
    return this.#ownership.waiters;
  }

  tryAcquireOrRescue(): HeldGuard | undefined {
    return this.#ownership.tryAcquireOrRescue();
  }

  tryAcquire(): HeldGuard | undefined {
    return this.#ownership.tryAcquire();
  }

  wait(ms: number): HeldGuard | undefined {
    return this.#ownership.wait(ms);
  }

  acquireSync(options: SyncAcquireOptions): HeldGuard {
    const { kind, name } = this.#semaphore;
    if (options.timeout === undefined && this.#ownership.isHeldByThread()) {
      const why = 'a task of this thread takes several permits, and cannot while the thread waits';
      throw wouldWaitForItself({ kind, name, how: 'permit' }, why);
    }
    return waitToAcquireSync(this.#semaphore, this, options);
  }

  need(): Need {
    const { kind, name } = this.#semaphore;
    return { ...this.#ownership.need(), kind, name };
  }

  contend(): void {
    this.#ownership.contend();
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
