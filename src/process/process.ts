// Processes as Python's multiprocessing has them: a function, called in a process of its own.
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { ProcessError } from '../errors.js';
import { replenish, startPlan, takeIdle } from './forkserver.js';
import { type Job, type Report, childEnvironment, currentDirectory, launch } from './launch.js';
import { type TargetReference, mainModule, observeMain, refer, resolveModule } from './target.js';
import { type WaitOptions, checkWait } from '../options.js';
import { type Identity, identity, nextLineage, startup } from '../identity.js';
import { type Packed, pack } from './arguments.js';

/** A function by its module. */
export interface ModuleTarget {
  /**
   * URL, absolute path, path that begins with `./` or `../` (from the directory of the main module),
   * or name of a package. `import.meta.url` is the module in which it is written.
   */
  module: string | URL;
  /** Name of the export; `default` if left out. */
  export?: string | undefined;
}

/** How a Process runs. */
export interface ProcessOptions {
  /** What the target is called with. See Process about how they travel. */
  args?: readonly unknown[] | undefined;
  /** `Process-1` and so on if left out. inspect() of a lock shows it. */
  name?: string | undefined;
  /** End it with this process, in whatever way that ends. It may not start Processes itself. */
  daemon?: boolean | undefined;
}

/** Those of this thread that run. */
const running = new Set<Process>();

/**
 * A function that runs in a process of its own; Python's `multiprocessing.Process`.
 *
 * **Target.** `{ module, export }`, or a function that the main module exports: the child imports that
 * module and calls the export, as with Python's "spawn". In the child the module is not the main one:
 * what the program itself does belongs behind `if (parentProcess() === null)`. (`import.meta.main` of
 * Node 24, the comparison with `process.argv[1]`, and `require.main === module` are false there too.) The
 * child waits for what the target returns, flushes standard output and error, waits for its own
 * children (daemons it terminates), and ends, whatever is still open: exit code 0, or
 * `process.exitCode`. A target that throws or rejects, or cannot be loaded, ends it with 1 and the error on standard error; one
 * that waits for something that cannot come any more, with 13, as Node does.
 *
 * **Arguments** travel by structured clone: class instances lose their class, functions and symbols are
 * refused. Every object of holdfast in them, at any depth of plain objects, arrays, Maps and Sets,
 * arrives as the same object, opened in the child. This process keeps it open until then.
 *
 * **Lifetime.** A child that runs keeps this process alive, unless it is a daemon. process.exit() and
 * a crash do not wait: then daemons end, and other children run on. A daemon that blocks its thread at
 * that moment ends when it is back in its event loop.
 *
 * Standard output and error are those of this process; standard input is empty. Ctrl-C in a terminal
 * reaches all processes, as in Python.
 */
export class Process implements AsyncDisposable {
  readonly name: string;
  /** Ends with this process. */
  readonly daemon: boolean;
  readonly #target: Function | { module: string; export: string };
  readonly #args: readonly unknown[];
  readonly #lineage: readonly number[];
  #child: ChildProcess | undefined;
  #exitCode: number | null = null;
  /** Of those who wait in join(). Not a promise: each look with a timeout would stay in its list. */
  readonly #onEnd = new Set<() => void>();

  /**
   * Prepares a Process; start() starts it. Does not block.
   *
   * @throws TypeError for wrong arguments; ProcessError if there is no such package.
   */
  constructor(target: Function | ModuleTarget, options: ProcessOptions = {}) {
    this.#target = checkTarget(target);
    checkOptions(options);
    this.#lineage = nextLineage();
    this.name = options.name ?? `Process-${this.#lineage.join(':')}`;
    this.daemon = options.daemon ?? identity().daemon;
    this.#args = options.args ?? [];
    if (typeof target === 'function') observeMain();
  }

  /**
   * Starts the child and hands it target and arguments, which are cloned now. Does not wait for the
   * child: `pid` is known when this returns, the target runs some 50 ms later (see setStartMethod()).
   * The child needs nothing more from this thread, which may block, unless the arguments are larger than a
   * socket's buffer (100 KiB or so).
   *
   * A function that the main module does not export is refused here if that is known: once the main
   * module has been evaluated, from the second Process on (its exports are looked at when the first one
   * is made, which takes a turn of the event loop). Otherwise the child finds out, and ends with exit
   * code 1 and the error on standard error.
   *
   * @throws ProcessError if it was started before, the function cannot be found by a child, this is a
   * daemon or a child that is still loading its modules, or the system is out of processes; TypeError
   * for arguments that cannot be cloned. Nothing is started then.
   */
  start(): this {
    if (this.#child) throw new ProcessError(`${this.name} was started before: make a new Process`);
    checkMayStart();
    const target = this.#refer();
    const packed = pack(this.#args);
    try {
      const waiting = takeIdle();
      const child = waiting ?? launch();
      this.#watch(child, packed);
      child.send(this.#job(target, packed, waiting !== undefined), () => {});
      // The channel is not what keeps us alive, the child is.
      child.channel?.unref();
      if (this.daemon) child.unref();
    } catch (error) {
      packed.release();
      throw error;
    }
    return this;
  }

  #refer(): TargetReference {
    return typeof this.#target === 'function' ? refer(this.#target) : this.#target;
  }

  #job(target: TargetReference, packed: Packed, idle: boolean): Job {
    const own: Identity = {
      name: this.name,
      daemon: this.daemon,
      lineage: this.#lineage,
      parent: { name: identity().name, pid: process.pid },
      mainModule: mainModule(),
    };
    return {
      holdfast: 'job',
      identity: own,
      plan: startPlan(),
      target,
      payload: packed.payload,
      directory: currentDirectory(),
      environment: idle ? childEnvironment() : undefined,
    };
  }

  #watch(child: ChildProcess, packed: Packed): void {
    this.#child = child;
    running.add(this);
    child.on('message', (report: Report) => {
      if (report?.holdfast !== 'attached') return;
      packed.release();
      replenish();
    });
    child.once('exit', (code, signal) => {
      this.#exitCode = code ?? -(signal ? constants.signals[signal] : 1);
      running.delete(this);
      packed.release();
      for (const tell of this.#onEnd) tell();
    });
  }

  /**
   * Waits until the child has ended: resolves to true then, or to false after `timeout` milliseconds.
   * Does not end it, and does not fail when the child did: see `exitCode`. The wait keeps this process
   * alive. Rejects with `signal.reason` on abort, with ProcessError if it was not started, with TypeError or
   * RangeError for a wrong argument.
   */
  async join(options: WaitOptions = {}): Promise<boolean> {
    checkWait(options);
    const child = this.#child;
    if (!child) throw new ProcessError(`${this.name} was not started: call start() before join()`);
    const { timeout, signal } = options;
    if (this.#exitCode !== null) return true;
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    let onEnd: (() => void) | undefined;
    child.ref();
    try {
      return await new Promise<boolean>((resolve, reject) => {
        onEnd = () => resolve(true);
        this.#onEnd.add(onEnd);
        if (timeout !== undefined) timer = setTimeout(resolve, timeout, false);
        onAbort = () => reject(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      if (onEnd) this.#onEnd.delete(onEnd);
      if (this.daemon && this.#onEnd.size === 0) child.unref();
    }
  }

  /** The child's process id; undefined before start(). Stays when it has ended. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Null until the child has ended and this thread's event loop has been told. Then its exit code, or
   * the negative number of the signal that ended it: -9 after kill().
   */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Was it started, and has it not ended? Knows of its end when `exitCode` does. Does not block. */
  alive(): boolean {
    return this.#child !== undefined && this.#exitCode === null;
  }

  /**
   * Sends SIGTERM, which ends the child unless it has a handler. Its own children are not ended, and
   * what it holds is abandoned: see Guard. Does not wait; does nothing if it has ended.
   *
   * @throws ProcessError if it was not started.
   */
  terminate(): void {
    this.#signal('SIGTERM', 'terminate');
  }

  /** Sends SIGKILL, which ends the child at whatever instruction it is. Otherwise as terminate(). */
  kill(): void {
    this.#signal('SIGKILL', 'kill');
  }

  #signal(signal: NodeJS.Signals, method: string): void {
    if (!this.#child) throw new ProcessError(`${this.name} was not started: nothing to ${method}`);
    this.#child.kill(signal);
  }

  /** For `await using`: waits until the child has ended, if it was started. Does not end it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.join();
  }
}

/**
 * The Processes that this thread has started and that have not ended, daemons included; Python's
 * `active_children()`. Does not block.
 */
export function activeChildren(): Process[] {
  return [...running];
}

function checkTarget(target: unknown): Function | { module: string; export: string } {
  if (typeof target === 'function') {
    if (/^class\b/.test(Function.prototype.toString.call(target))) {
      throw new TypeError(
        `target must be a function that can be called, not the class ${target.name}`,
      );
    }
    if (/Generator/.test(Object.prototype.toString.call(target))) {
      throw new TypeError(
        `target must not be the generator ${target.name}: calling it runs nothing`,
      );
    }
    return target;
  }
  if (typeof target !== 'object' || target === null || !('module' in target)) {
    throw new TypeError('target must be a function or { module, export }');
  }
  if ('args' in target) {
    throw new TypeError('args go into the second argument: new Process(target, { args })');
  }
  const { module, export: name = 'default' } = target as { module: unknown; export?: unknown };
  if ((typeof module !== 'string' || module === '') && !(module instanceof URL)) {
    throw new TypeError('target.module must be a path, a URL or the name of a package');
  }
  if (typeof name !== 'string') throw new TypeError('target.export must be the name of an export');
  return { module: resolveModule(module), export: name };
}

function checkOptions(options: ProcessOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object: { args: [...], name, daemon }');
  }
  const { args, name, daemon } = options as Record<string, unknown>;
  if (args !== undefined && !Array.isArray(args)) throw new TypeError('args must be an array');
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('name must be a string with something in it');
  }
  if (daemon !== undefined && typeof daemon !== 'boolean') {
    throw new TypeError('daemon must be a boolean');
  }
}

function checkMayStart(): void {
  if (identity().daemon) {
    throw new ProcessError('a daemon may not start Processes: nobody would end them with it');
  }
  if (startup.loading) {
    throw new ProcessError(
      'start() at the top level of a module that the child is still loading: every child would start ' +
        'another one. Put what only the program itself does behind "if (parentProcess() === null)"',
    );
  }
}

// Also when the daemon does not come round to noticing that its parent is gone.
process.on('exit', () => {
  for (const child of running) if (child.daemon) child.terminate();
});
