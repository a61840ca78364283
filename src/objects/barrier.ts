import { BrokenBarrierError, label } from '../errors.js';
import type { NativeArrival, NativeBarrier } from '../native/bindings.js';
import { arrivalStatus } from '../native/enums.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import {
  type OpenOptions,
  type SyncWaitOptions,
  type WaitOptions,
  barrierOptions,
  checkFunction,
  checkNoPromise,
  checkNumber,
  checkOpen,
  checkSyncWait,
  checkWait,
} from '../options.js';
import { Deadline } from '../waiting/deadline.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { type Waitable, isWaitedFor, waitFor } from '../waiting/pending-waits.js';

/** How to open a Barrier. */
export interface BarrierOptions extends OpenOptions {
  /**
   * Called by the last party to arrive, before anybody goes on; of that party's own Barrier object. If
   * it throws or rejects, that wait() does too, and the barrier is broken for the others.
   */
  action?: (() => unknown) | undefined;
  /** How long wait() waits unless told otherwise, in milliseconds; this handle's. */
  timeout?: number | undefined;
}

/** What `inspect()` shows of a Barrier: a snapshot, which may be out of date when it is read. */
export interface BarrierState {
  /** The class of the object. */
  readonly kind: 'Barrier';
  /** The name that it was opened with. */
  readonly name: string;
  /** How many parties it takes. */
  readonly parties: number;
  /** Parties that wait now. */
  readonly waiting: number;
  /** Does every party get a BrokenBarrierError, until reset()? */
  readonly broken: boolean;
  /** Rounds that are over, whichever way. */
  readonly round: number;
  /** Rounds that broke or were reset. */
  readonly breaks: number;
}

/**
 * A point at which `parties` parties wait for each other, again and again; the same in every process and
 * worker thread of the user that opens its name. A party is a call of wait(), so two tasks of one thread
 * are two parties. Like Python's `multiprocessing.Barrier`.
 *
 * The barrier *breaks* when a party leaves it otherwise than together with all: by timeout, by abort, by
 * a failing action, by abort(), and by dying. Then every party that waits, and every one that comes,
 * gets a BrokenBarrierError until reset(). A party that is killed while it waits is noticed at once, or
 * after 50 ms at the most. One that is killed before it arrives is not missed: use a timeout.
 */
export class Barrier extends Shared<'Barrier'> {
  readonly #action: (() => unknown) | undefined;
  readonly #timeout: number | undefined;

  /**
   * Opens the barrier, or makes it for `parties` parties, 1 to 4096. Blocks only while another process has
   * the directory locked.
   *
   * @throws IncompatibleError if it exists with another number of parties. With `parties` undefined it
   * is taken as it is, and must exist: NotFoundError. Otherwise as Lock.
   */
  constructor(parties: number | undefined, options: BarrierOptions = {}) {
    checkOpen(options, barrierOptions);
    checkNumber('parties', parties, 1, addon.maxParties, options);
    const { action, timeout } = options;
    if (action !== undefined) checkFunction('action', action);
    checkSyncWait({ timeout });
    super('Barrier', parties === undefined ? { ...options, mustExist: true } : options, {
      optionNames: barrierOptions,
      initial: parties,
    });
    this.#action = action;
    this.#timeout = timeout;
  }

  /** How many parties it takes. */
  get parties(): number {
    return this.native.parties;
  }

  /**
   * Arrives, and waits for the other parties. Resolves to the order of arrival, 0 to `parties` - 1; it
   * can choose one party for a special task. Never blocks the event loop.
   *
   * Rejects with BrokenBarrierError; with TimeoutError, `signal.reason` or ClosedError, and breaks the
   * barrier for the others then, unless all have arrived; with what the action threw.
   */
  async wait(options?: WaitOptions): Promise<number> {
    checkWait(options);
    const deadline = new Deadline({ ...options, timeout: options?.timeout ?? this.#timeout });
    return this.retain(async (native) => {
      // Without an await where there is nothing to wait for: the caller may close the handle right after.
      const [how, round, index] =
        this.#arrive(native) ?? (await this.#arriveLate(native, deadline.step()));
      if (how === arrivalStatus.passed) return index;
      if (how === arrivalStatus.broken) throw this.#broken();
      if (how === arrivalStatus.act) {
        await this.#act(native, round, () => this.#action!());
        return index;
      }
      const waitable: Waitable<number> = {
        waitSet: native.passage,
        take: () => native.look(round) || undefined,
        retryAll: true,
      };
      let end: number;
      try {
        end = await waitFor(this, waitable, deadline.step());
      } catch (error) {
        end = this.#leave(native, round, error);
      }
      if (end === arrivalStatus.broken) throw this.#broken();
      return index;
    });
  }

  /** Undefined if the round before is not over, or others wait for that. */
  #arrive(native: NativeBarrier): NativeArrival | undefined {
    return isWaitedFor(native.opening.tag) ? undefined : this.#tryToArrive(native);
  }

  #arriveLate(native: NativeBarrier, options: WaitOptions): Promise<NativeArrival> {
    const take = () => this.#tryToArrive(native);
    return waitFor(this, { waitSet: native.opening, take }, options);
  }

  #tryToArrive(native: NativeBarrier): NativeArrival | undefined {
    const arrival = native.arrive(this.#action === undefined ? 0 : 1);
    return arrival[0] === arrivalStatus.notYet ? undefined : arrival;
  }

  async #act(native: NativeBarrier, round: number, action: () => unknown): Promise<void> {
    try {
      await action();
    } catch (error) {
      native.breakRound(round);
      throw error;
    }
    if (native.finish(round) !== arrivalStatus.passed) throw this.#broken();
  }

  /** A wait that ended otherwise than by passing: breaks the round, unless it was over already. */
  #leave(native: NativeBarrier, round: number, error: unknown): number {
    if (native.look(round) === arrivalStatus.passed) return arrivalStatus.passed;
    native.breakRound(round);
    if (native.look(round) === arrivalStatus.passed) return arrivalStatus.passed;
    throw error;
  }

  /**
   * The same, blocking this thread. The action must not be asynchronous.
   *
   * @throws as wait() rejects; TypeError, and breaks the barrier, if the action returns a promise.
   */
  waitSync(options?: SyncWaitOptions): number {
    checkSyncWait(options);
    const deadline = new Deadline({ ...options, timeout: options?.timeout ?? this.#timeout });
    const { native } = this;
    const acts = this.#action === undefined ? 0 : 1;
    let arrival = native.arrive(acts);
    if (arrival[0] === arrivalStatus.notYet) {
      const arrive = (ms: number) => {
        const late = native.waitToArrive(acts, ms);
        return late[0] === arrivalStatus.notYet ? undefined : late;
      };
      const { timeout, given } = deadline.step();
      arrival = waitForSync(this, arrive, timeout, given);
    }
    const [how, round, index] = arrival;
    if (how === arrivalStatus.passed) return index;
    if (how === arrivalStatus.broken) throw this.#broken();
    if (how === arrivalStatus.act) {
      this.#actSync(native, round);
      return index;
    }
    let end: number;
    try {
      const { timeout, given } = deadline.step();
      end = waitForSync(this, (ms) => native.wait(round, ms) || undefined, timeout, given);
    } catch (error) {
      end = this.#leave(native, round, error);
    }
    if (end === arrivalStatus.broken) throw this.#broken();
    return index;
  }

  #actSync(native: NativeBarrier, round: number): void {
    try {
      checkNoPromise('waitSync() cannot wait for an action', this.#action!());
    } catch (error) {
      native.breakRound(round);
      throw error;
    }
    if (native.finish(round) !== arrivalStatus.passed) throw this.#broken();
  }

  /**
   * Breaks the barrier: every party that waits, or comes, gets a BrokenBarrierError until reset().
   * Does not block, but for a process that was stopped in the middle of a change: for 10 s at the most.
   */
  abort(): void {
    this.native.abort();
  }

  /**
   * Brings the barrier back to its first state. Parties that wait get a BrokenBarrierError. Blocks as
   * abort() does.
   */
  reset(): void {
    this.native.reset();
  }

  /** Is it broken? Does not block. */
  broken(): boolean {
    return this.native.broken();
  }

  /** How many parties wait now. Does not block. */
  waiting(): number {
    return this.native.waiting();
  }

  /** A snapshot of its state. Does not block. */
  inspect(): BarrierState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }

  #broken(): BrokenBarrierError {
    return new BrokenBarrierError(
      `${label(this.kind, this.name)}: a party left it, died or broke it`,
      { kind: this.kind, objectName: this.name },
    );
  }
}
