// Python's multiprocessing.Pool: functions that run in worker processes.
import { inspect } from 'node:util';
import { brand } from '../brand.js';
import { ClosedError, NoSpaceError } from '../errors.js';
import { once } from '../native/once.js';
import { type TargetReference, observeMain, refer } from '../process/target.js';
import {
  type CheckedTarget,
  type ModuleTarget,
  type TargetResult,
  checkTarget,
} from '../process/options.js';
import { type Inspecting, inspectAs, refusal, uncloneable } from '../uncloneable.js';
import { type Callee, calleeOf } from './callee.js';
import { Crew } from './crew.js';
import { Flow, asyncChunksOf, chunksOf } from './flow.js';
import {
  type MapOptions,
  type PoolOptions,
  type ReadMap,
  type ReadPool,
  type ReadTask,
  type TaskOptions,
  checkItems,
  readMap,
  readPool,
  splitTask,
} from './options.js';
import { Page } from './page.js';
import { type PoolState, stateOf } from './state.js';
import { type Ending, Task } from './task.js';
import { type OrderKind, orderKinds } from './wire.js';

const count = once('pools', () => ({ pools: 0 }));

/** What an item becomes. */
type Mapped<Item, Result> = (item: Item) => Result;

/**
 * Functions that run in worker processes; Python's `multiprocessing.Pool`. A worker that crashes
 * takes nothing along but the task that it ran: the pool puts another one in its place.
 *
 * **Functions** are named as the target of a Process is: a function that the main module exports,
 * or `{ module, export }`. **Arguments and results** travel through queues in shared memory, as the
 * arguments of a Process do: objects of holdfast arrive as the same objects. Arguments are cloned
 * when a worker gets the task, which may be later than the call, and again for a retry.
 *
 * **Errors** of a task arrive with their stack, cause and own properties, and with the same class
 * if that is of the language, of holdfast, or in the option `errors`.
 *
 * **Deaths.** If a worker dies (SIGKILL, no memory, a crash, `process.exit()`), the task that it
 * ran is run again as often as its `retries` say, and then rejects with a ProcessError, which names
 * the signal and the task. Tasks that it had not begun run elsewhere. A result that it had sent is
 * not lost and not doubled.
 *
 * Workers are daemons: they end with this process. A pool with nothing to do does not keep this
 * process alive. With the start method `'forkserver'` workers start warm: see setStartMethod().
 */
export class Pool<Target extends Function = Function> implements AsyncDisposable {
  static {
    brand(this, 'Pool');
  }
  /** The name that was given, or `Pool-1` and so on. */
  readonly name: string;
  /** @internal */
  readonly [uncloneable] = refusal('a Pool: it belongs to the thread that made it');
  readonly #options: ReadPool;
  readonly #page: Page;
  readonly #crew: Crew;
  readonly #callees = new WeakMap<Function, Callee>();
  #end: Promise<void> | undefined;

  /**
   * Makes the pool and starts its workers, and does not wait for them. Blocks as Process.start()
   * does, for each worker.
   *
   * @throws TypeError or RangeError for a wrong option, before anything is started; ProcessError if
   * a process cannot be started, or a child could not find the initializer: then none is left.
   */
  constructor(options: PoolOptions<Target> = {}) {
    const read = readPool(options);
    this.#options = read;
    this.name = read.name ?? `Pool-${++count.pools}`;
    observeMain();
    const { initializer, initArgs } = read;
    const target = initializer && this.#refer(initializer);
    const key = `${process.pid}.${Math.random().toString(36).slice(2)}`;
    this.#page = Page.make(this.name, key, read.processes);
    try {
      this.#crew = new Crew(read, this.name, this.#page, target && { target, args: initArgs });
    } catch (error) {
      this.#page.memory.close();
      throw error;
    }
  }

  /**
   * Calls a function in a worker, and resolves to what it returns, or what that resolves to. Never
   * blocks the event loop; a task that has not ended keeps this process alive. Tasks begin in the
   * order of the calls, as workers become free.
   *
   * The last argument is the options if it is a plain object with one of the names `signal`,
   * `timeout` and `retries` or more, and no other names: see TaskOptions. A function that itself
   * takes such an object last is given the options behind it. A function may be left out if the
   * pool has a `target`; then all arguments are for that.
   *
   * Rejects with what the function throws; with ProcessError if its worker died once more than
   * `retries`; with TimeoutError after `timeout`, and with `signal.reason`; with EncodeError for an
   * argument or a result that cannot be cloned; with NoSpaceError if `maxQueue` tasks wait already;
   * with ClosedError after close() or terminate(). Rejects with TypeError, RangeError or
   * ProcessError for wrong arguments, and then nothing was started.
   */
  run<Arguments extends unknown[], Result>(
    fn: (...args: Arguments) => Result,
    ...args: Arguments | [...Arguments, TaskOptions]
  ): Promise<Awaited<Result>>;
  /** The same, for a function that is named by its module. Waits and rejects in the same way. */
  run(target: ModuleTarget, ...args: unknown[]): Promise<unknown>;
  /** The same, for the target of the pool. Waits and rejects in the same way. */
  run(...args: PoolArguments<Target>): Promise<TargetResult<Target>>;
  async run(...given: unknown[]): Promise<unknown> {
    const [callee, rest] = this.#callee(given);
    const [args, options] = splitTask(rest);
    this.#checkOpen();
    const { maxQueue, processes } = this.#options;
    if (this.#crew.load.tasks >= processes + maxQueue) this.#refuse();
    return new Promise((resolve, reject) => {
      const ending = { resolve: ([result]: unknown[]) => resolve(result), reject };
      this.#add(orderKinds.call, callee, [...args], options, ending);
    });
  }

  /**
   * Calls a function for each item, in workers, and resolves to the results in the order of the
   * items. Waits as run() does. If one call fails, it rejects with that error as run() does, and
   * chunks that have not begun are withdrawn. What `onProgress` throws ends it, too. With
   * `retries`, the calls of a chunk whose worker died are all made again.
   */
  map<Item, Result>(
    fn: Mapped<Item, Result>,
    items: Iterable<Item>,
    options?: MapOptions,
  ): Promise<Awaited<Result>[]>;
  /** The same, for a function that is named by its module. Waits and rejects in the same way. */
  map(target: ModuleTarget, items: Iterable<unknown>, options?: MapOptions): Promise<unknown[]>;
  /** The same, for the target of the pool. Waits and rejects in the same way. */
  map(items: Iterable<unknown>, options?: MapOptions): Promise<TargetResult<Target>[]>;
  async map(...given: unknown[]): Promise<unknown[]> {
    const [callee, rest] = this.#callee(given);
    const [items, options] = this.#mapped(rest, false);
    const array = [...(items as Iterable<unknown>)];
    const most = Math.ceil(array.length / (4 * this.#options.processes));
    const chunks = chunksOf(array, options.chunkSize, Math.max(1, most));
    // All its items were there before a close(), which waits for them.
    const flow = this.#flow(callee, chunks, options, true, () => array.length, nothing, nothing);
    const results: unknown[] = [];
    for await (const chunk of flow.read(options.signal)) {
      for (const result of chunk) results.push(result);
    }
    return results;
  }

  /**
   * The same as an iterator, which takes items as it needs them: some chunks for each worker are
   * under way ahead of the reader. The results come in the order of the items. `items` may be an
   * async iterable. You may leave the loop at any time; chunks that have not begun are withdrawn.
   * After close() it starts no further items: it gives the results of those that it has started,
   * and then rejects with ClosedError.
   */
  imap<Item, Result>(
    fn: Mapped<Item, Result>,
    items: Iterable<Item> | AsyncIterable<Item>,
    options?: MapOptions,
  ): AsyncGenerator<Awaited<Result>, void, undefined>;
  /** The same, for a function that is named by its module. Waits and rejects in the same way. */
  imap(
    target: ModuleTarget,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncGenerator<unknown, void, undefined>;
  /** The same, for the target of the pool. Waits and rejects in the same way. */
  imap(
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncGenerator<TargetResult<Target>, void, undefined>;
  imap(...given: unknown[]): AsyncGenerator<never, void, undefined> {
    return this.#iterate(given, true);
  }

  /** The same, in the order in which the chunks end. Waits and rejects in the same way. */
  imapUnordered<Item, Result>(
    fn: Mapped<Item, Result>,
    items: Iterable<Item> | AsyncIterable<Item>,
    options?: MapOptions,
  ): AsyncGenerator<Awaited<Result>, void, undefined>;
  /** The same, for a function that is named by its module. Waits and rejects in the same way. */
  imapUnordered(
    target: ModuleTarget,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncGenerator<unknown, void, undefined>;
  /** The same, for the target of the pool. Waits and rejects in the same way. */
  imapUnordered(
    items: Iterable<unknown> | AsyncIterable<unknown>,
    options?: MapOptions,
  ): AsyncGenerator<TargetResult<Target>, void, undefined>;
  imapUnordered(...given: unknown[]): AsyncGenerator<never, void, undefined> {
    return this.#iterate(given, false);
  }

  /**
   * Takes no further tasks, waits until all have ended, and ends the workers. Resolves when they
   * have ended. imap() and imapUnordered() start no further items: read their results first. A
   * second call returns the same promise. It keeps this process alive.
   */
  close(): Promise<void> {
    return (this.#end ??= this.#finish(this.#crew.close()));
  }

  /**
   * Kills all workers. Tasks that have not ended reject with ClosedError. Resolves when the workers
   * have ended. It also ends a close() that waits.
   */
  async terminate(): Promise<void> {
    const ended = this.#crew.terminate();
    this.#end ??= this.#finish(ended);
    await this.#end;
  }

  /** What the pool and each of its workers do now. Does not block. */
  inspect(): PoolState {
    return stateOf(this.name, this.#options.processes, this.#crew);
  }

  /** For `await using`: the same as close(); waits until the workers have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  [inspect.custom](...how: Inspecting): string {
    return inspectAs('Pool', this.inspect(), ...how);
  }

  async #finish(ended: Promise<void>): Promise<void> {
    await ended;
    this.#page.memory.close();
  }

  #checkOpen(what = ''): void {
    if (this.#end !== undefined) throw new ClosedError(`${this.name}: it was closed${what}`);
  }

  #refuse(): never {
    throw new NoSpaceError(`${this.name}: ${this.#options.maxQueue} tasks wait already (maxQueue)`);
  }

  // What is called

  #refer(target: CheckedTarget): TargetReference {
    return typeof target === 'function' ? refer(target) : target;
  }

  /** What the first parameter names, or else the target of the pool; and the other parameters. */
  #callee(given: unknown[]): [callee: Callee, rest: unknown[]] {
    const { target } = this.#options;
    const [first] = given;
    if (typeof first === 'function') return [this.#calleeOf(first), given.slice(1)];
    if (target !== undefined) return [this.#calleeOf(target), given];
    return [this.#calleeOf(checkTarget(first)), given.slice(1)];
  }

  #calleeOf(target: CheckedTarget): Callee {
    const known = typeof target === 'function' ? this.#callees.get(target) : undefined;
    if (known !== undefined) return known;
    if (typeof target === 'function') checkTarget(target);
    const callee = calleeOf(this.#refer(target));
    if (typeof target === 'function') this.#callees.set(target, callee);
    return callee;
  }

  #add(kind: OrderKind, callee: Callee, items: unknown[], options: ReadTask, ending: Ending): Task {
    const task = new Task(kind, callee, items, options, ending, (one, reason) =>
      this.#crew.withdraw(one, reason),
    );
    this.#crew.add(task);
    return task;
  }

  // map() and the others

  #mapped(rest: unknown[], isAsyncAllowed: boolean): [items: unknown, options: ReadMap] {
    const [items, options] = rest;
    checkItems(items, isAsyncAllowed);
    const read = readMap(options as MapOptions | undefined);
    this.#checkOpen();
    return [items, read];
  }

  #iterate(given: unknown[], isOrdered: boolean): AsyncGenerator<never, void, undefined> {
    const [callee, rest] = this.#callee(given);
    const [items, options] = this.#mapped(rest, true);
    const { chunkSize = 1 } = options;
    const isSync = typeof (items as Iterable<unknown>)[Symbol.iterator] === 'function';
    const chunks = isSync
      ? chunksOf(items as Iterable<unknown>, chunkSize, chunkSize)
      : asyncChunksOf(items as AsyncIterable<unknown>, chunkSize);
    let taken = 0;
    const { length, size = length } = items as { length?: unknown; size?: unknown };
    const total = () => (typeof size === 'number' ? size : taken);
    const onTaken = (items: number) => (taken += items);
    const checkOpen = () => this.#checkOpen(' before the last item had been started');
    const flow = this.#flow(callee, chunks, options, isOrdered, total, onTaken, checkOpen);
    return each(flow, options.signal) as AsyncGenerator<never, void, undefined>;
  }

  #flow(
    callee: Callee,
    chunks: ConstructorParameters<typeof Flow>[0],
    options: ReadMap,
    isOrdered: boolean,
    total: () => number,
    onTaken: (items: number) => void,
    checkOpen: () => void,
  ): Flow {
    let done = 0;
    const window = 8 * this.#options.processes;
    return new Flow(
      chunks,
      (items, onResults, onFailure) => {
        onTaken(items.length);
        const resolve = (results: unknown[]) => {
          done += results.length;
          try {
            options.onProgress?.(done, total());
          } catch (error) {
            return onFailure(error);
          }
          onResults(results);
        };
        const ending = { resolve, reject: onFailure };
        const task = this.#add(orderKinds.each, callee, items, options, ending);
        return () => this.#crew.forget(task, withdrawn);
      },
      isOrdered,
      window,
      checkOpen,
    );
  }
}

const nothing = () => {};
/** Nobody hears this reason. */
const withdrawn = new ClosedError('the reader of the results has left');

async function* each(flow: Flow, signal?: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  for await (const chunk of flow.read(signal)) yield* chunk;
}

/** The parameters of run() of a pool that has a target. */
export type PoolArguments<Target> = Target extends (...args: infer Arguments) => unknown
  ? Arguments | [...Arguments, TaskOptions]
  : unknown[];
