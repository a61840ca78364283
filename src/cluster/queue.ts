// The job queues of a cluster over an engine.
//
// All takers of a queue in this process stand in one line, and one command takes jobs for all of
// them. A taker that gave up while that command was on its way leaves its jobs to the next one.
// What nobody wants any more is given back.
import { type ClosedError, TimeoutError } from '../errors.js';
import { type WaitOptions, checkCount, readOptions, readWait } from '../options.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { Alarm } from '../waiting/clock.js';
import type {
  ClusterQueue,
  ClusterQueueCount,
  ClusterTakeOptions,
  ClusterTask,
} from './cluster.js';
import type { Taken } from './engine.js';
import type { LockLostError } from './errors.js';
import type { Dependent, Session } from './session.js';
import type { Sessions } from './sessions.js';
import { Settler, Task } from './task.js';
import { isJson, toJson } from './json.js';

const mostTaken = 1000;
const mostPut = 10_000;

/** How many to take (undefined: one, and no array), and the wait. */
function readTake(options: unknown): { max: number | undefined; wait: WaitOptions } {
  if (options === undefined) return { max: undefined, wait: {} };
  const { max, ...wait } = readOptions(options, ['max', 'timeout', 'signal']) as ClusterTakeOptions;
  if (max !== undefined) checkCount('max', max, 1, mostTaken);
  return { max, wait: readWait(wait)! };
}

/** The values of putMany() as JSON. @throws TypeError, RangeError, EncodeError */
function readValues(values: unknown): string[] {
  if (!Array.isArray(values)) throw new TypeError('putMany() takes an array');
  if (values.length > mostPut) {
    throw new RangeError(`putMany() takes at most ${mostPut} values, not ${values.length}`);
  }
  return Array.from(values, toJson);
}

/** @throws TypeError for options: those of a JoinableQueue would be lost without a word. */
function refuseOptions(options: unknown): void {
  if (options === undefined) return;
  throw new TypeError(
    'put() and putMany() of a cluster take no options: its queues have no delay and no priority',
  );
}

export class RemoteQueue<T> implements ClusterQueue<T> {
  readonly name: string;
  readonly #sessions: Sessions;
  readonly #lines = new WeakMap<Session, Line>();

  constructor(sessions: Sessions, name: string) {
    this.#sessions = sessions;
    this.name = name;
  }

  async put(value: T, options?: undefined): Promise<void> {
    refuseOptions(options);
    const values = [toJson(value)];
    await this.#sessions.run((session) => session.engine.put(this.name, values));
  }

  async putMany(values: readonly T[], options?: undefined): Promise<void> {
    refuseOptions(options);
    const read = readValues(values);
    if (read.length === 0) return;
    await this.#sessions.run((session) => session.engine.put(this.name, read));
  }

  take(options?: WaitOptions & { max?: undefined }): Promise<ClusterTask<T>>;
  take(options: ClusterTakeOptions & { max: number }): Promise<ClusterTask<T>[]>;
  async take(options?: ClusterTakeOptions): Promise<ClusterTask<T> | ClusterTask<T>[]> {
    const { max, wait } = readTake(options);
    const tasks = await this.#sessions.wait(async (opened) => {
      const session = await opened;
      return this.#lineOf(session).take(max ?? 1, wait);
    });
    return max === undefined ? (tasks[0] as ClusterTask<T>) : (tasks as ClusterTask<T>[]);
  }

  count(): Promise<ClusterQueueCount> {
    return this.#sessions.run((session) => session.engine.count(this.name));
  }

  #lineOf(session: Session): Line {
    let line = this.#lines.get(session);
    if (line === undefined) {
      line = new Line(session, this.name);
      this.#lines.set(session, line);
    }
    return line;
  }
}

interface Taker {
  readonly max: number;
  /** Its timeout has passed while a command was on its way, which may still bring it something. */
  isLate: boolean;
  readonly resolve: (tasks: Task[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** The takers of one queue in one session. */
class Line implements Dependent {
  readonly #session: Session;
  readonly #queue: string;
  readonly #settler: Settler;
  readonly #takers: Taker[] = [];
  /** The last command found nothing, and there was no news since. */
  #isEmpty = false;
  #isTaking = false;

  constructor(session: Session, queue: string) {
    this.#session = session;
    this.#queue = queue;
    this.#settler = new Settler(session, queue);
    session.tell(this);
    session.onJobs(queue, () => {
      this.#isEmpty = false;
      this.#pump();
    });
  }

  take(max: number, { timeout, signal }: WaitOptions): Promise<Task[]> {
    signal?.throwIfAborted();
    return new Promise((settle, fail) => {
      const { lostError } = this.#session;
      if (lostError !== undefined) return fail(lostError);
      const end = (): void => {
        alarm?.cancel();
        if (signal !== undefined) unwatchAbort(signal, onAbort);
        const place = this.#takers.indexOf(taker);
        if (place !== -1) this.#takers.splice(place, 1);
        if (this.#takers.length === 0 && this.#isEmpty && !this.#isTaking) this.#stopWaiting();
      };
      const reject = (reason: unknown): void => (end(), fail(reason));
      const taker: Taker = {
        max,
        isLate: false,
        resolve: (tasks) => (end(), settle(tasks)),
        reject,
      };
      const onAbort = (): void => reject(signal!.reason);
      const onTimeout = (): void => {
        taker.isLate = true;
        if (!this.#isTaking) reject(this.#timeoutError());
      };
      const alarm = timeout === undefined ? undefined : new Alarm(timeout, onTimeout);
      if (signal !== undefined) watchAbort(signal, onAbort);
      this.#takers.push(taker);
      this.#pump();
    });
  }

  lost(error: LockLostError | ClosedError): void {
    for (const taker of this.#takers.splice(0)) taker.reject(error);
  }

  /** Nobody wants the news any more, so the next taker has to look. */
  #stopWaiting(): void {
    this.#session.engine.stopWaiting(this.#queue);
    this.#isEmpty = false;
  }

  #pump(): void {
    if (this.#isTaking || this.#isEmpty || this.#takers.length === 0) return;
    this.#isTaking = true;
    void this.#takeOnce();
  }

  async #takeOnce(): Promise<void> {
    const wanted = this.#takers.reduce((sum, { max }) => sum + max, 0);
    // News that comes while the command is on its way says that there is more.
    this.#isEmpty = true;
    try {
      const taken = await this.#session.engine.take(this.#queue, Math.min(wanted, mostTaken));
      if (taken.length > 0) this.#isEmpty = false;
      this.#handOut(taken);
      this.#isTaking = false;
      const late = this.#takers.filter(({ isLate }) => isLate);
      for (const { reject } of late) reject(this.#timeoutError());
    } catch (error) {
      this.#isTaking = false;
      this.#isEmpty = false;
      for (const taker of this.#takers.splice(0)) taker.reject(this.#session.lostError ?? error);
    }
    this.#pump();
  }

  #handOut(taken: readonly Taken[]): void {
    let next = 0;
    while (next < taken.length && this.#takers.length > 0) {
      const taker = this.#takers[0]!;
      const own = taken.slice(next, next + taker.max);
      next += own.length;
      try {
        taker.resolve(own.map((job) => new Task(this.#session, this.#settler, job)));
      } catch (error) {
        taker.reject(error);
        this.#dropUnreadable(own);
      }
    }
    this.#settle([], taken.slice(next));
  }

  /** Jobs that are no JSON count as done: nobody could ever read them. */
  #dropUnreadable(jobs: readonly Taken[]): void {
    const bad = jobs.filter(({ value }) => !isJson(value));
    this.#settle(
      bad,
      jobs.filter((job) => !bad.includes(job)),
    );
  }

  #settle(done: readonly Taken[], retry: readonly Taken[]): void {
    if (done.length + retry.length === 0) return;
    const [doneIds, retryIds] = [done, retry].map((jobs) => jobs.map(({ id }) => id));
    // If the engine cannot be told, the session is lost, and they come back with it.
    this.#session.engine.settle(this.#queue, doneIds!, retryIds!).catch(() => {});
  }

  #timeoutError(): TimeoutError {
    return new TimeoutError(`queue ${JSON.stringify(this.#queue)}: no job in time`);
  }
}
