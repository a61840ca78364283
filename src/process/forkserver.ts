// The start methods. Python's forkserver is a small process that is forked for each child. V8
// cannot be forked. So the forkserver of this package starts children ahead of demand; while they
// wait they are called idle children.
import type { ChildProcess } from 'node:child_process';
import { ProcessError } from '../errors.js';
import { type Report, type StartPlan, countChannel, countChild, launch } from './launch.js';
import { isUrl, resolveModule } from './target.js';
import { checkCount, readOptions } from '../options.js';
import { identity, startup } from '../identity.js';
import { once } from '../native/once.js';
import { cpuCount } from './info.js';

/**
 * How children are started; setStartMethod() says what each does. `'fork'` does not exist, because
 * a forked V8 has lost its threads.
 */
export type StartMethod = 'spawn' | 'forkserver';

/** Options of the start method `'forkserver'`. */
export interface ForkserverOptions {
  /**
   * Modules that idle children load while they wait: URLs, absolute paths, paths from the directory
   * of the main module (`./` or `../`), or names of packages. None if left out. If one cannot be
   * loaded, this process emits a warning with the code `HOLDFAST_PRELOAD`.
   */
  preload?: readonly (string | URL)[] | undefined;
  /** How many children wait at one time, 1 to 256. If left out 2, or 1 where cpuCount() is 1. */
  idle?: number | undefined;
}

const forkserverOptions = ['preload', 'idle'] as const;
const mostIdle = 256;

/** How this thread starts children. */
const starts = once('starts', () => ({
  plan: { method: 'spawn', preload: [], idle: 0 } as StartPlan,
}));
const idle = once('idle', () => {
  // Idle children end by themselves, but a little later than the program.
  process.on('exit', dismissAll);
  return new Set<ChildProcess>();
});
const warned = new Set<string>();

/**
 * Sets how Processes are started from now on, in this thread and in those Processes. Does not
 * block.
 *
 * - `'spawn'` (the default): start() starts a fresh Node process, as in Python.
 * - `'forkserver'`: children are started ahead of demand. They load the runtime and the modules of
 *   `preload`, and wait. start() hands its job to one of them. Each serves one Process and ends, so
 *   none sees what another has left. In the main process they begin to start now; in a child, with
 *   its first start().
 *
 * Idle children keep no program alive. They end with their parent, however that ends. Each costs
 * the memory of a Node process. A Process has the environment and the working directory of its
 * start(); what preloaded modules did with older ones stays.
 *
 * @throws ProcessError for `'fork'`, and for a package in `preload` that does not exist; TypeError
 * or RangeError for another wrong argument. Nothing is changed then.
 */
export function setStartMethod(method: StartMethod, options: ForkserverOptions = {}): void {
  if ((method as string) === 'fork') {
    throw new ProcessError(
      `the start method 'fork' is not possible: a forked copy of V8 has lost its threads; ` +
        `use 'spawn' or 'forkserver'`,
    );
  }
  if (method !== 'spawn' && method !== 'forkserver') {
    throw new TypeError(`the start method must be 'spawn' or 'forkserver', not ${String(method)}`);
  }
  const read = readOptions(options, forkserverOptions) as ForkserverOptions;
  const { preload: given = [], idle: count = Math.min(2, cpuCount()) } = read;
  checkCount('idle', count, 1, mostIdle);
  const preload = Array.isArray(given) ? [...given] : undefined;
  if (preload === undefined || !preload.every(isModule)) {
    throw new TypeError('preload must be an array of module names and URLs');
  }
  dismissAll();
  starts.plan = { method, preload: preload.map(resolveModule), idle: count };
  // A child comes here, too, because it loads the main module. Nobody knows yet whether it will
  // start Processes, so it starts no idle children here.
  if (identity().parent === null) replenish();
}

/**
 * The start method: what setStartMethod() set here, or else what it is in the process that started
 * this one; `'spawn'` if nobody has set it. Does not block.
 */
export function getStartMethod(): StartMethod {
  return starts.plan.method;
}

export function startPlan(): StartPlan {
  return starts.plan;
}

export function inheritPlan(given: StartPlan): void {
  starts.plan = given;
}

function isModule(module: unknown): boolean {
  return typeof module === 'string' || isUrl(module);
}

/** Takes an idle child, if there is one. */
export function takeIdle(): ChildProcess | undefined {
  for (const child of idle) {
    forget(child);
    if (!child.connected || child.exitCode !== null || child.signalCode !== null) continue;
    countChild(child, true);
    countChannel(child, true);
    return child;
  }
  return undefined;
}

/**
 * Starts idle children until there are enough. start() calls this only after its child has its
 * arguments, so that the new children do not slow that one down.
 */
export function replenish(): void {
  if (starts.plan.method !== 'forkserver' || startup.loading || identity().daemon) return;
  try {
    while (idle.size < starts.plan.idle) add();
  } catch {
    // The system has no room for more processes now. start() will report that when it needs a
    // child.
  }
}

function add(): void {
  const child = launch();
  idle.add(child);
  child.on('message', onReport);
  // A child that ended by itself is not replaced here, because its successors might end, too, and
  // so on without end.
  child.once('exit', onEnd);
  child.once('disconnect', onEnd);
  child.send({ holdfast: 'wait', preload: starts.plan.preload });
  countChild(child, false);
  countChannel(child, false);
}

function onEnd(this: ChildProcess): void {
  forget(this);
}

function onReport(report: Report): void {
  if (report?.holdfast !== 'preload-failed' || warned.has(report.module)) return;
  warned.add(report.module);
  process.emitWarning(`preload of ${report.module} failed: ${report.reason}`, {
    type: 'HoldfastWarning',
    code: 'HOLDFAST_PRELOAD',
  });
}

function forget(child: ChildProcess): void {
  idle.delete(child);
  child.off('exit', onEnd);
  child.off('disconnect', onEnd);
}

function dismissAll(): void {
  for (const child of idle) {
    forget(child);
    child.kill('SIGKILL');
  }
}
