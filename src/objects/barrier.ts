import { brand } from '../brand.js';
import { BrokenBarrierError, label } from '../errors.js';
import type { Native, NativeArrival } from '../native/bindings.js';
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
  checkTimeout,
  readOpen,
  readSyncWait,
  readWait,
} from '../options.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { type Step, type Steps, run, runSync, take } from '../waiting/steps.js';
import { waitForSync } from '../waiting/blocking-wait.js';
import { type Waitable, isWaitedFor, waitFor } from '../waiting/pending-waits.js';
import { WaitSet } from '../waiting/wait-set.js';

const operations = addon.Barrier;

/** How to open a Barrier. */
export interface BarrierOptions extends OpenOptions {
  /**
   * Called by the last party to arrive, before any party goes on. Each Barrier object has its own;
   * the one of that party is called. If it throws or rejects, so does that party's wait(), and the
   * barrier is broken for the others.
   */
  action?: (() => unknown) | undefined;
  /**
   * The timeout of each wait() of this object that is given none, in milliseconds, 0 to 2147483647.
   * Without it such a wait has no limit.
   */
  timeout?: number | undefined;
}

/** What `inspect()` shows of a Barrier: a snapshot, which may be out of date when it is read. */
export interface BarrierState {
  /** The class of the object. */
  readonly kind: 'Barrier';
  /** The name that it was opened with. */
  readonly name: string;
  /** The number of parties of a round. */
  readonly parties: number;
  /** Parties that wait now. */
  readonly waiting: number;
  /** True if every party gets a BrokenBarrierError until reset(). */
  readonly broken: boolean;
  /** Rounds that are over: all parties passed, or the barrier broke or was reset. */
  readonly round: number;
  /** Rounds that broke or were reset. */
  readonly breaks: number;
}

/**
 * A point at which `parties` parties wait for each other, round after round. It is the same in
 * every process and worker thread of the user that opens its name. A party is a call of wait(), so
 * two tasks of one thread are two parties. Like Python's `multiprocessing.Barrier`.
 *
 * The barrier *breaks* when a party that has arrived leaves it without the others: by a timeout, by
 * the abort of its signal, by a failing action, or by dying. It also breaks by abort(). Then every
 * party that waits gets a BrokenBarrierError, and so does every later wait() until reset(). If a
 * party is killed while it waits, the others notice at once, or after 50 ms at the most. If it is
 * killed before it arrives, the others do not notice: use a timeout.
 */
export class Barrier extends Shared<'Barrier'> {
  static {
    brand(this, 'Barrier');
  }
  readonly #action: (() => unknown) | undefined;
  readonly #timeout: number | undefined;
  /** Woken when a round ends. */
  readonly #arrived: WaitSet;
  /** Woken when the next may begin. */
  readonly #arriving: WaitSet;

  /**
   * Opens the barrier, or makes it for `parties` parties, 1 to 4096. There is no default: with
   * `parties` undefined the barrier must exist, by the name in `options`, and is taken as it is.
   * Blocks only while another process has the directory locked.
   *
   * @throws IncompatibleError if it exists with another number of parties; TypeError if neither
   * `parties` nor a name is given; NotFoundError if `parties` is undefined and the name does not
   * exist. Otherwise as Lock.
   */
  constructor(parties: number | undefined, options: BarrierOptions = {}) {
    const read = readOpen(options, barrierOptions);
    checkNumber('parties', parties, 1, addon.maxParties, read);
    const { action, timeout } = read;
    if (action !== undefined) checkFunction('action', action);
    checkTimeout(timeout);
    super('Barrier', parties === undefined ? { ...read, mustExist: true } : read, {
      initial: parties,
    });
    this.#action = action;
    this.#timeout = timeout;
    this.#arrived = new WaitSet(operations.arrived, this.native);
    this.#arriving = new WaitSet(operations.arriving, this.native);
  }

  /** How many parties it takes. Does not block. */
  get parties(): number {
    return operations.parties(this.native);
  }

  /**
   * Arrives, and waits for the other parties. Resolves to the order of arrival, 0 to `parties` - 1,
   * which can choose one party for a special task. Never blocks the event loop; a pending wait
   * keeps the process alive. A party that comes while the round before is not over first waits for
   * its end.
   *
   * Rejects with BrokenBarrierError, and with what the action threw. Rejects with TimeoutError,
   * `signal.reason` or ClosedError; that breaks the barrier for the others, unless all have
   * arrived.
   */
  async wait(options?: WaitOptions): Promise<number> {
    options = readWait(options);
    const timeout = options?.timeout ?? this.#timeout;
    const deadline = new Deadline({ timeout, signal: options?.signal });
    // There must be no await if there is nothing to wait for, because the caller may close the
    // object right after the call.
    return this.retain((native) => run(this.#steps(native, this.#arrive(native), deadline)));
  }

  /** Undefined if the round before is not over, or if others wait for that already. */
  #arrive(native: Native<'Barrier'>): NativeArrival | undefined {
    return isWaitedFor(this.#arriving.tag) ? undefined : this.#tryToArrive(native);
  }

  #tryToArrive(native: Native<'Barrier'>): NativeArrival | undefined {
    return unlessTooEarly(operations.arrive(native, this.#acts));
  }

  /** For the addon: does this object have an action? */
  get #acts(): boolean {
    return this.#action !== undefined;
  }

  /** A wait, in both forms. `arrival` is undefined if the party has to wait to arrive. */
  *#steps(
    native: Native<'Barrier'>,
    arrival: NativeArrival | undefined,
    deadline: Deadline,
  ): Steps<number> {
    arrival ??= yield* take(this.#lateArrival(native, deadline.step()));
    const [how, round, index] = arrival;
    if (how === arrivalStatus.passed) return index;
    if (how === arrivalStatus.broken) throw this.#broken();
    const end =
      how === arrivalStatus.act
        ? yield* this.#act(native, round)
        : yield* this.#waitForOthers(native, round, deadline);
    if (end !== arrivalStatus.passed) throw this.#broken();
    return index;
  }

  /** Waits until the round before is over, and arrives. */
  #lateArrival(native: Native<'Barrier'>, options: StepOptions): Step<NativeArrival> {
    const acts = this.#acts;
    const waitable: Waitable<NativeArrival> = {
      waitSet: this.#arriving,
      take: () => this.#tryToArrive(native),
    };
    const takeWithin = (ms: number) => unlessTooEarly(operations.waitToArrive(native, acts, ms));
    return {
      async: () => waitFor(this, waitable, options),
      sync: () => waitForSync(this, takeWithin, options.timeout, options),
    };
  }

  /** Calls the action, and ends the round. Returns what became of the round. */
  *#act(native: Native<'Barrier'>, round: number): Steps<number> {
    const action = this.#action!;
    try {
      yield* take<unknown>({
        async: async () => action(),
        sync: () => checkNoPromise('waitSync() cannot wait for an action', action()),
      });
    } catch (error) {
      operations.breakRound(native, round);
      throw error;
    }
    return operations.finish(native, round);
  }

  /** Waits for the end of the round. Returns what became of it. */
  *#waitForOthers(native: Native<'Barrier'>, round: number, deadline: Deadline): Steps<number> {
    try {
      return yield* take(this.#roundEnd(native, round, deadline.step()));
    } catch (error) {
      return this.#leave(native, round, error);
    }
  }

  #roundEnd(native: Native<'Barrier'>, round: number, options: StepOptions): Step<number> {
    const waitable: Waitable<number> = {
      waitSet: this.#arrived,
      take: () => operations.checkRound(native, round) || undefined,
      retryAll: true,
    };
    const takeWithin = (ms: number) => operations.wait(native, round, ms) || undefined;
    return {
      async: () => waitFor(this, waitable, options),
      sync: () => waitForSync(this, takeWithin, options.timeout, options),
    };
  }

  /** The end of a wait that failed: breaks the round, unless all have passed meanwhile. */
  #leave(native: Native<'Barrier'>, round: number, error: unknown): number {
    if (operations.checkRound(native, round) === arrivalStatus.passed) return arrivalStatus.passed;
    operations.breakRound(native, round);
    if (operations.checkRound(native, round) === arrivalStatus.passed) return arrivalStatus.passed;
    throw error;
  }

  /**
   * The same, blocking this thread. The action must not be asynchronous.
   *
   * @throws as wait() rejects; TypeError if the action returns a promise, which breaks the barrier.
   */
  waitSync(options?: SyncWaitOptions): number {
    options = readSyncWait(options);
    const timeout = options?.timeout ?? this.#timeout;
    const deadline = new Deadline({ timeout, signal: undefined });
    const { native } = this;
    return runSync(this.#steps(native, this.#tryToArrive(native), deadline));
  }

  /**
   * Breaks the barrier: every party that waits, or comes, gets a BrokenBarrierError until reset().
   * Does not block, except if another process was stopped in the middle of a change: then for 10 s
   * at the most.
   */
  abort(): void {
    operations.abort(this.native);
  }

  /**
   * Begins a new round, and the barrier is not broken any more. Parties that wait get a
   * BrokenBarrierError. Blocks as abort() does.
   */
  reset(): void {
    operations.reset(this.native);
  }

  /** Is it broken? Holds for the instant of the call. Does not block. */
  broken(): boolean {
    return operations.broken(this.native);
  }

  /** How many parties wait now. Does not block. */
  waiting(): number {
    return operations.waiting(this.native);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): BarrierState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }

  #broken(): BrokenBarrierError {
    return new BrokenBarrierError(
      `${label(this.kind, this.name)}: a party left it, died or broke it`,
      { kind: this.kind, objectName: this.name },
    );
  }
}

/** Undefined if the round before was not over, so that nobody could arrive. */
function unlessTooEarly(arrival: NativeArrival): NativeArrival | undefined {
  return arrival[0] === arrivalStatus.notYet ? undefined : arrival;
}
