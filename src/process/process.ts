// Processes as Python's multiprocessing has them: a function that runs in a process of its own.
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { inspect } from 'node:util';
import { publishProcess } from '../channels.js';
import { ProcessError } from '../errors.js';
import { brand } from '../brand.js';
import { type Identity, identity, nextLineage, startup } from '../identity.js';
import { once } from '../native/once.js';
import { type WaitOptions, readWait } from '../options.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { unwatchAbort, watchAbort } from '../waiting/abort.js';
import { type Timer, clearTimeout, setTimeout } from '../waiting/clock.js';
import { type Packed, pack } from './arguments.js';
import { checkCompiled } from './compilers.js';
import { replenish, startPlan, takeIdle } from './forkserver.js';
import {
  type Job,
  type Report,
  childEnvironment,
  countChannel,
  countChild,
  currentDirectory,
  launch,
} from './launch.js';
import {
  type CheckedTarget,
  type ModuleTarget,
  type ProcessOptionsFor,
  type TargetArguments,
  readProcessOptions,
  checkTarget,
} from './options.js';
import { type TargetReference, mainModule, observeMain, refer } from './target.js';

const unlimited: WaitOptions = { timeout: undefined, signal: undefined };

/** The running Processes of this thread. */
const running = once('running', () => {
  const processes = new Set<Process>();
  // A daemon notices that its parent is gone only when it is back in its event loop. SIGTERM ends
  // it at once.
  process.on('exit', () => {
    for (const child of processes) if (child.daemon) child.terminate();
  });
  return processes;
});

/**
 * A function that runs in a process of its own; Python's `multiprocessing.Process`.
 *
 * **Target.** A function that the main module exports, or `{ module, export }`. The child imports
 * that module and calls the export, as with Python's "spawn". In the child the module is not the
 * main one, so what only the program itself does belongs behind `if (parentProcess() === null)`.
 * (`import.meta.main` of Node 24, `require.main === module`, and the comparison with
 * `process.argv[1]` are false in the child, too.)
 *
 * **End.** The child waits for what the target returns. Then it terminates its daemons, waits for
 * its other children, flushes standard output and error, and ends, even if files, sockets or timers
 * are open. Its exit code is 0 or `process.exitCode`. If the target throws or rejects, or cannot be
 * loaded, the exit code is 1 and the error is on standard error. If the target waits for something
 * that cannot come any more, the exit code is 13, as in Node.
 *
 * **Arguments** travel by structured clone. Class instances lose their class; functions and symbols
 * are refused. Every object of holdfast in them arrives as the same object, opened in the child. It
 * is found at any depth of plain objects, arrays, Maps and Sets. This process keeps it open until
 * then. TypeScript checks the arguments against the parameters of a function target. For a target
 * that is named by its module, it does so if its type is given:
 * `new Process<typeof work>({ module, export }, { args })`.
 *
 * **Lifetime.** A child that runs keeps this process alive, unless it is a daemon. `process.exit()`
 * and a crash do not wait for children: then daemons end, and other children run on. A daemon that
 * blocks its thread at that moment ends when it is back in its event loop. A child that crashes
 * leaves what it held abandoned, as Guard describes.
 *
 * Standard output and error are those of this process; standard input is empty. Ctrl-C in a
 * terminal reaches all processes, as in Python.
 */
export class Process<Target extends Function = Function> implements AsyncDisposable {
  static {
    brand(this, 'Process');
  }
  /** The name that was given, or `Process-1` and so on, as Python counts. */
  readonly name: string;
  /** True if the child ends with this process. */
  readonly daemon: boolean;
  /** @internal */
  readonly [uncloneable] = refusal('a Process: it belongs to the thread that made it');
  readonly #target: CheckedTarget;
  readonly #args: readonly unknown[];
  readonly #lineage: readonly number[];
  #child: ChildProcess | undefined;
  #exitCode: number | null = null;
  /**
   * Functions to call when the child has ended, one for each pending join(). A promise would keep a
   * reaction for every join() that timed out.
   */
  readonly #onEnd = new Set<() => void>();

  /**
   * Prepares a Process; start() starts it. Does not block.
   *
   * The options are those of ProcessOptions. `args` may be left out if the target needs none.
   *
   * @throws TypeError for wrong arguments; ProcessError if there is no such package.
   */
  constructor(
    target: Target | ModuleTarget,
    ...[options = {}]: ProcessOptionsFor<TargetArguments<Target>>
  ) {
    this.#target = checkTarget(target);
    const { args, name, daemon } = readProcessOptions(options);
    this.#lineage = nextLineage();
    this.name = name ?? `Process-${this.#lineage.join(':')}`;
    this.daemon = daemon ?? identity().daemon;
    this.#args = args ?? [];
    if (typeof target === 'function') observeMain();
  }

  /**
   * Starts the child and hands it target and arguments, which are cloned now. Does not wait for the
   * child: `pid` is known when this returns, and the target runs some 50 ms later (see
   * setStartMethod()). The child needs nothing more from this thread, so the thread may block. The
   * exception is arguments that are larger than a socket's buffer (100 KiB or so).
   *
   * A function that the main module does not export is refused here if that is known. It is known
   * once the main module has been evaluated and its exports have been looked at. That look begins
   * when the first Process is made, and takes a turn of the event loop. Until it is known, the
   * child finds out, and ends with exit code 1 and the error on standard error.
   *
   * @throws ProcessError if it was started before, if a child cannot find the function, if this
   * process is a daemon or a child that is still loading its modules, or if the system is out of
   * processes; TypeError for arguments that cannot be cloned. Nothing is started then.
   */
  start(): this {
    if (this.#child) throw new ProcessError(`${this.name} was started before: make a new Process`);
    checkMayStart();
    const target = this.#refer();
    checkCompiled(target.module);
    const packed = pack(this.#args);
    try {
      const waiting = takeIdle();
      const own = this.#identity();
      const child = waiting ?? launch(own);
      this.#watch(child, packed);
      child.send(this.#job(own, target, packed, waiting !== undefined), () => {});
      // The child keeps this process alive, not the channel to it.
      countChannel(child, false);
      if (this.daemon) countChild(child, false);
    } catch (error) {
      packed.release();
      throw error;
    }
    return this;
  }

  #refer(): TargetReference {
    return typeof this.#target === 'function' ? refer(this.#target) : this.#target;
  }

  #identity(): Identity {
    return {
      name: this.name,
      daemon: this.daemon,
      lineage: this.#lineage,
      parent: { name: identity().name, pid: process.pid },
      mainModule: mainModule(),
    };
  }

  #job(own: Identity, target: TargetReference, packed: Packed, idle: boolean): Job {
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
    publishProcess({ event: 'start', name: this.name, pid: child.pid });
    child.on('message', (report: Report) => {
      if (report?.holdfast !== 'attached') return;
      packed.release();
      replenish();
    });
    child.once('exit', (code, signal) => {
      this.#exitCode = code ?? -(signal ? constants.signals[signal] : 1);
      const { name, pid, exitCode } = this;
      publishProcess({ event: 'end', name, pid, exitCode });
      running.delete(this);
      packed.release();
      for (const tell of this.#onEnd) tell();
    });
  }

  /**
   * Waits until the child has ended. Resolves to true then, or to false after `timeout`
   * milliseconds; 0 only looks. Never blocks the event loop; the wait keeps this process alive. It
   * does not end the child, and does not fail when the child did: see `exitCode`.
   *
   * Rejects with `signal.reason` on abort, with ProcessError if it was not started, with TypeError
   * or RangeError for a wrong argument.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const { timeout, signal } = readWait(options) ?? unlimited;
    const child = this.#child;
    if (!child) throw new ProcessError(`${this.name} was not started: call start() before join()`);
    if (this.#exitCode !== null) return true;
    let timer: Timer | undefined;
    let onAbort: (() => void) | undefined;
    let onEnd: (() => void) | undefined;
    countChild(child, true);
    try {
      return await new Promise<boolean>((resolve, reject) => {
        onEnd = () => resolve(true);
        this.#onEnd.add(onEnd);
        if (timeout !== undefined) timer = setTimeout(resolve, timeout, false);
        onAbort = () => reject(signal?.reason);
        if (signal) watchAbort(signal, onAbort);
      });
    } finally {
      clearTimeout(timer);
      if (signal && onAbort) unwatchAbort(signal, onAbort);
      if (onEnd) this.#onEnd.delete(onEnd);
      if (this.daemon && this.#onEnd.size === 0) countChild(child, false);
    }
  }

  /** The child's process id; undefined before start(). It stays when the child has ended. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * The exit code of the child, or the negative number of the signal that ended it, such as -9
   * after kill(). It is null until the child has ended and this thread's event loop has heard of
   * it.
   */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /**
   * True if it was started and has not ended. It becomes false when `exitCode` is set. Does not
   * block.
   */
  alive(): boolean {
    return this.#child !== undefined && this.#exitCode === null;
  }

  /**
   * Sends SIGTERM, which ends the child unless it has a handler. The child's own children are not
   * ended, and what the child holds is abandoned: see Guard. Does not wait; does nothing if the
   * child has ended.
   *
   * @throws ProcessError if it was not started.
   */
  terminate(): void {
    this.#signal('SIGTERM', 'terminate');
  }

  /**
   * Sends SIGKILL, which ends the child at any instruction. Otherwise the same as terminate().
   *
   * @throws ProcessError if it was not started.
   */
  kill(): void {
    this.#signal('SIGKILL', 'kill');
  }

  #signal(signal: NodeJS.Signals, method: string): void {
    if (!this.#child) throw new ProcessError(`${this.name} was not started: nothing to ${method}`);
    this.#child.kill(signal);
  }

  /** @internal */
  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
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

function checkMayStart(): void {
  if (startup.loading) {
    throw new ProcessError(
      'start() at the top level of a module that the child is still loading: every child would ' +
        'start another one. Put what only the program itself does behind ' +
        '"if (parentProcess() === null)"',
    );
  }
  if (identity().daemon) {
    throw new ProcessError('a daemon may not start Processes: nobody would end them with it');
  }
}
