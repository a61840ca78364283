// Start methods. Python forks a small server process for each child; V8 cannot be forked, so ours
// keeps children that have started already, and wait.
import type { ChildProcess } from 'node:child_process';
import { ProcessError } from '../errors.js';
import { type Report, type StartPlan, launch } from './launch.js';
import { resolveModule } from './target.js';
import { checkCount } from '../options.js';
import { identity, startup } from '../identity.js';
import { cpuCount } from './info.js';

/** How children are started. `'fork'` does not exist: a forked V8 has lost its threads. */
export type StartMethod = 'spawn' | 'forkserver';

/** Options of the start method `'forkserver'`. */
export interface ForkserverOptions {
  /**
   * Modules that idle children load while they wait: URLs, absolute paths, paths from the main
   * module's directory (`./`), or packages.
   */
  preload?: readonly (string | URL)[] | undefined;
  /** How many children wait at one time, 1 to 256; 2, or 1 on a machine with one processor. */
  idle?: number | undefined;
}

const mostIdle = 256;

let plan: StartPlan = { method: 'spawn', preload: [], idle: 0 };
const idle = new Set<ChildProcess>();
const warned = new Set<string>();

/**
 * Sets how Processes are started from now on, here and in those Processes. Does not block.
 *
 * - `'spawn'` (the default): start() starts a fresh Node process, as in Python.
 * - `'forkserver'`: children are started ahead of demand, have the runtime and the modules of
 *   `preload` loaded, and wait; start() hands its job to one of them. Each serves one Process and
 *   ends, so none sees what another has left. They begin to start now, in the main process; in a
 *   child with its first start(). Waiting, they keep no program alive, end with their parent
 *   (however that ends), and cost the memory of a Node process each. The environment and the
 *   working directory are those at start(); what preloaded modules did with older ones stays.
 *
 * @throws ProcessError for `'fork'`; TypeError or RangeError for another wrong argument.
 */
export function setStartMethod(method: StartMethod, options: ForkserverOptions = {}): void {
  if ((method as string) === 'fork') {
    throw new ProcessError(
      `the start method 'fork' is not possible: a forked copy of V8 has lost its threads; use 'spawn' or 'forkserver'`,
    );
  }
  if (method !== 'spawn' && method !== 'forkserver') {
    throw new TypeError(`the start method must be 'spawn' or 'forkserver', not ${String(method)}`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, not ${String(options)}`);
  }
  const { preload = [], idle: count = Math.min(2, cpuCount()) } = options;
  checkCount('idle', count, 1, mostIdle);
  if (!Array.isArray(preload) || !preload.every(isModule)) {
    throw new TypeError('preload must be an array of module names and URLs');
  }
  dismissAll();
  plan = { method, preload: preload.map(resolveModule), idle: count };
  // A child loads the main module, where this call stands. What it will start is not known yet.
  if (identity().parent === null) replenish();
}

/** `'spawn'`, or what setStartMethod() said here or in the process that started this one. */
export function getStartMethod(): StartMethod {
  return plan.method;
}

export function startPlan(): StartPlan {
  return plan;
}

export function inheritPlan(given: StartPlan): void {
  plan = given;
}

function isModule(module: unknown): boolean {
  return typeof module === 'string' || module instanceof URL;
}

/** A child that waits, if there is one. */
export function takeIdle(): ChildProcess | undefined {
  for (const child of idle) {
    forget(child);
    if (!child.connected || child.exitCode !== null || child.signalCode !== null) continue;
    child.ref();
    child.channel?.ref();
    return child;
  }
  return undefined;
}

/** Brings the idle children up to their number. Not while a start() is under way: it is in a hurry. */
export function replenish(): void {
  if (plan.method !== 'forkserver' || startup.loading || identity().daemon) return;
  try {
    while (idle.size < plan.idle) add();
  } catch {
    // There is no room for more now. start() will say so when it needs one.
  }
}

function add(): void {
  const child = launch();
  idle.add(child);
  child.on('message', onReport);
  // One that ended by itself is not replaced here: it could go on like that without end.
  child.once('exit', onEnd);
  child.once('disconnect', onEnd);
  child.send({ holdfast: 'wait', preload: plan.preload });
  child.unref();
  child.channel?.unref();
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

// They would end by themselves, but a little later than the program.
process.on('exit', dismissAll);
