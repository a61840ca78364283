// What the methods of a Pool take, and the checks of it.
import { checkCount, checkFunction, checkTimeout, isAbortSignal, readOptions } from '../options.js';
import { cpuCount } from '../process/info.js';
import {
  type CheckedTarget,
  type ModuleTarget,
  type ProcessOptions,
  checkTarget,
  readErrors,
  readProcessOptions,
} from '../process/options.js';

/** How a Pool is made. */
export interface PoolOptions<Target extends Function = Function> {
  /** How many workers there are, 1 to 1024; cpuCount() if left out. */
  processes?: number | undefined;
  /** What run(), map() and imap() call where they are given no function. */
  target?: Target | ModuleTarget | undefined;
  /**
   * Runs once in each worker, before its tasks: a function that the main module exports, or
   * `{ module, export }`. If it throws, the pool is of no use, and all its tasks reject with that.
   */
  initializer?: Function | ModuleTarget | undefined;
  /** The arguments of the initializer; `[]` if left out. */
  initArgs?: readonly unknown[] | undefined;
  /** After so many tasks, 1 to 2 ** 53 - 1, a worker is replaced. Never if left out. */
  maxTasksPerChild?: number | undefined;
  /** How many tasks of run() may wait for a worker, 0 to 2 ** 53 - 1; any number if left out. */
  maxQueue?: number | undefined;
  /**
   * The most memory that a worker may use, in bytes, 33554432 (32 MiB) or more; no limit if left
   * out. A worker that has more after a task is replaced. On Linux, one that has more during a task
   * is killed.
   */
  maxMemory?: number | undefined;
  /** The name of the Pool, a string that is not empty; `Pool-1` and so on if left out. */
  name?: string | undefined;
  /** Classes of errors of your own, which extend Error. Errors of tasks keep their class then. */
  errors?: readonly Function[] | undefined;
  /** The environment of the workers, as of a Process. */
  env?: ProcessOptions['env'];
  /** The working directory of the workers, as of a Process. */
  cwd?: ProcessOptions['cwd'];
  /** The options of the workers' `node`, as of a Process. */
  execArgv?: ProcessOptions['execArgv'];
}

/** How one task runs. */
export interface TaskOptions {
  /** Its abort withdraws a task that waits, and kills the worker of one that runs. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds, 0 to 2147483647, from the start of the function in its worker. After them the
   * worker is killed. No limit if left out.
   */
  timeout?: number | undefined;
  /** How often the task runs again if its worker dies, 0 to 1000; 0 if left out. */
  retries?: number | undefined;
}

/** How map(), imap() and imapUnordered() run. `timeout` is for each item; `retries` for a chunk. */
export interface MapOptions extends TaskOptions {
  /**
   * How many items travel together and run one after another in one worker, 1 to 1000000. If left
   * out: for map() a quarter of what each worker would get, but at most about 1 MiB of Buffers; for
   * imap() and imapUnordered() 1.
   */
  chunkSize?: number | undefined;
  /** Called with how many items are done, 0 to 2 ** 53 - 1, and how many there are. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The options of a Pool after the checks. */
export interface ReadPool {
  readonly processes: number;
  readonly target: CheckedTarget | undefined;
  readonly initializer: CheckedTarget | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly maxQueue: number;
  readonly maxMemory: number | undefined;
  readonly name: string | undefined;
  readonly errors: readonly Function[];
  readonly surroundings: Pick<ProcessOptions, 'env' | 'cwd' | 'execArgv'>;
}

const poolOptions = [
  'processes',
  'target',
  'initializer',
  'initArgs',
  'maxTasksPerChild',
  'maxQueue',
  'maxMemory',
  'name',
  'errors',
  'env',
  'cwd',
  'execArgv',
] as const;
const taskOptions = ['signal', 'timeout', 'retries'] as const;
const mapOptions = [...taskOptions, 'chunkSize', 'onProgress'] as const;

export const mostProcesses = 1024;
const leastMemory = 32 * 1024 * 1024;
const mostRetries = 1000;
const mostItems = 1_000_000;

function count(what: string, value: unknown, least: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  checkCount(what, value, least, Number.MAX_SAFE_INTEGER);
  return value as number;
}

/** @throws TypeError or RangeError for a wrong option; ProcessError for a missing package. */
export function readPool(options: unknown): ReadPool {
  const read = readOptions(options, poolOptions);
  const { processes = cpuCount(), initArgs, name, env, cwd, execArgv } = read;
  checkCount('processes', processes, 1, mostProcesses);
  // A Process has the same rules for these.
  const { args, ...around } = readProcessOptions({ args: initArgs, name, env, cwd, execArgv });
  const { maxMemory } = read;
  if (maxMemory !== undefined) {
    checkCount('maxMemory', maxMemory, leastMemory, Number.MAX_SAFE_INTEGER);
  }
  return {
    processes: processes as number,
    target: read.target === undefined ? undefined : checkTarget(read.target),
    initializer: read.initializer === undefined ? undefined : checkTarget(read.initializer),
    initArgs: args ?? [],
    maxTasksPerChild: count('maxTasksPerChild', read.maxTasksPerChild, 1, Infinity),
    maxQueue: count('maxQueue', read.maxQueue, 0, Infinity),
    maxMemory: maxMemory as number | undefined,
    name: around.name,
    errors: readErrors(read.errors) ?? [],
    surroundings: { env: around.env, cwd: around.cwd, execArgv: around.execArgv },
  };
}

/** The options of a task after the checks. */
export interface ReadTask {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number | undefined;
  readonly retries: number;
}

const noOptions: ReadTask = { signal: undefined, timeout: undefined, retries: 0 };

function checkTask(read: Record<'signal' | 'timeout' | 'retries', unknown>): ReadTask {
  const { signal, timeout, retries = 0 } = read;
  checkTimeout(timeout);
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TypeError('signal must be an AbortSignal');
  }
  checkCount('retries', retries, 0, mostRetries);
  signal?.throwIfAborted();
  return { signal, timeout, retries: retries as number };
}

/**
 * Splits the parameters of run() behind the function. The last one is the options if it is a plain
 * object that has one of their names or more, and no other.
 */
export function splitTask(rest: readonly unknown[]): [args: readonly unknown[], task: ReadTask] {
  const last = rest.at(-1);
  if (!isTaskOptions(last)) return [rest, noOptions];
  return [rest.slice(0, -1), checkTask(readOptions(last, taskOptions))];
}

function isTaskOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => taskOptions.includes(key as 'signal'));
}

/** The options of map() and the others after the checks. */
export interface ReadMap extends ReadTask {
  readonly chunkSize: number | undefined;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

/** @throws TypeError or RangeError for a wrong option, and the reason of an aborted signal. */
export function readMap(options: MapOptions | undefined): ReadMap {
  const read = readOptions(options ?? {}, mapOptions);
  const { chunkSize, onProgress } = read;
  if (chunkSize !== undefined) checkCount('chunkSize', chunkSize, 1, mostItems);
  if (onProgress !== undefined) checkFunction('onProgress', onProgress);
  return { ...checkTask(read), chunkSize, onProgress } as ReadMap;
}

/** @throws TypeError unless a loop can go over it. */
export function checkItems(items: unknown, isAsyncAllowed: boolean): void {
  const object = Object(items) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const isIterable = typeof object[Symbol.iterator] === 'function';
  const isAsync = isAsyncAllowed && typeof object[Symbol.asyncIterator] === 'function';
  if (typeof items === 'string' || !(isIterable || isAsync)) {
    throw new TypeError('items must be an array, or something else that a loop can go over');
  }
}
