// Processes as Python's multiprocessing has them: a function that runs in a process of its own.
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { inspect } from 'node:util';
import { publishProcess } from '../channels.js';
import { ProcessError, TimeoutError } from '../errors.js';
import { brand } from '../brand.js';
import { type Identity, identity, nextLineage, startup } from '../identity.js';
import { once } from '../native/once.js';
import { type WaitOptions, readWait } from '../options.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
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
  type ReadProcessOptions,
  type TargetArguments,
  type TargetResult,
  readProcessOptions,
  checkTarget,
} from './options.js';
import { News } from './news.js';
import { type Outcome, endedWithout, receiveOutcome } from './outcome.js';
import { type TargetReference, mainModule, observeMain, refer } from './target.js';

const unlimited: WaitOptions = { timeout: undefined, signal: undefined };

/** The running Processes of this thread. */
const running = once('running', () => {
  const processes = new Set<Process>();
  // A daemon that computes is killed only a second after the end of its parent. SIGTERM ends
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
 * **Result.** result() resolves to what the target returned, which travels as the arguments do, or
 * rejects with what it threw.
 *
 * **Lifetime.** A child that runs keeps this process alive, unless it is a daemon. `process.exit()`
 * and a crash do not wait for children: then daemons end, and other children run on. A daemon that
 * blocks its thread at that moment ends when it is back in its event loop. A child that crashes
 * leaves what it held abandoned, as Guard describes.
 *
 * Standard output and error are those of this process, and standard input is empty, unless `stdio`
 * says otherwise. Ctrl-C in a terminal reaches all processes, as in Python.
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
  readonly #options: ReadProcessOptions;
  readonly #lineage: readonly number[];
  #child: ChildProcess | undefined;
  #exitCode: number | null = null;
  /** What the target returned or threw, once this process has heard of it. */
  #outcome: Outcome | undefined;
  readonly #news = new News();

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
    this.#options = readProcessOptions(options);
    const { name, daemon } = this.#options;
    this.#lineage = nextLineage();
    this.name = name ?? `Process-${this.#lineage.join(':')}`;
    this.daemon = daemon ?? identity().daemon;
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
   * @throws ProcessError if it was started before, if a child cannot find the function, if `cwd` is
   * no directory, if this process is a daemon or a child that is still loading its modules, or if
   * the system is out of processes; TypeError for arguments that cannot be cloned. Nothing is
   * started then.
   */
  start(): this {
    if (this.#child) throw new ProcessError(`${this.name} was started before: make a new Process`);
    checkMayStart();
    const target = this.#refer();
    const { args = [], env, execArgv, stdio, cwd } = this.#options;
    checkCompiled(target.module, execArgv, env);
    const directory = cwd === undefined ? currentDirectory() : existing(cwd);
    const packed = pack([...args], 'args');
    try {
      // An idle child has what it was started with.
      const waiting = env || execArgv || stdio ? undefined : takeIdle();
      const own = this.#identity();
      const child = waiting ?? launch(own, { env, execArgv, stdio });
      this.#watch(child, packed);
      const job = this.#job(own, target, packed, directory);
      child.send(waiting ? { ...job, environment: childEnvironment() } : job, () => {});
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

  #job(own: Identity, target: TargetReference, packed: Packed, directory: string | undefined): Job {
    return {
      holdfast: 'job',
      identity: own,
      plan: startPlan(),
      target,
      payload: packed.payload,
      directory,
      environment: undefined,
    };
  }

  #watch(child: ChildProcess, packed: Packed): void {
    this.#child = child;
    running.add(this);
    publishProcess({ event: 'start', name: this.name, pid: child.pid });
    child.on('message', (report: Report) => {
      if (report?.holdfast === 'attached') {
        packed.release();
        replenish();
      } else if (report?.holdfast === 'result') {
        this.#outcome = receiveOutcome(child, report, this.#options.errors ?? []);
        this.#news.tell();
      }
    });
    // The last messages of a child may come after its end.
    child.once('disconnect', () => this.#news.tell());
    child.once('exit', (code, signal) => {
      this.#exitCode = code ?? -(signal ? constants.signals[signal] : 1);
      const { name, pid, exitCode } = this;
      publishProcess({ event: 'end', name, pid, exitCode });
      running.delete(this);
      packed.release();
      this.#news.tell();
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
    const read = readWait(options) ?? unlimited;
    const child = this.#started('join');
    return this.#news.until(() => this.#exitCode !== null, child, this.daemon, read);
  }

  /**
   * Waits until the target has returned, and resolves to what it returned: a clone, in which
   * objects of holdfast are the same objects, opened in this thread. You close them. Never blocks
   * the event loop; the wait keeps this process alive. The child may still be ending then: see
   * join(). It keeps the objects of its result open until this thread has them.
   *
   * Rejects with what the target threw, with its stack, cause and own properties. Its class is the
   * same if that is of the language, of holdfast, or in the option `errors`; otherwise it is the
   * nearest class above that, and `name` is kept. Rejects with ProcessError if it was not started,
   * or ended before the target returned, as by a signal or `process.exit()`; with EncodeError if
   * what was returned cannot be cloned; with NotFoundError if an object in it is gone. Rejects with
   * TimeoutError, with `signal.reason`, and with TypeError or RangeError for a wrong argument.
   */
  async result(options?: WaitOptions): Promise<TargetResult<Target>> {
    const read = readWait(options) ?? unlimited;
    const child = this.#started('result');
    const isKnown = () =>
      this.#outcome !== undefined || (this.#exitCode !== null && !child.connected);
    countChannel(child, true);
    try {
      if (!(await this.#news.until(isKnown, child, this.daemon, read))) {
        throw new TimeoutError(`${this.name}: no result after ${read.timeout} ms`);
      }
    } finally {
      countChannel(child, false);
    }
    const outcome = this.#outcome;
    if (outcome === undefined) {
      throw endedWithout(this.name, this.#exitCode!, 'before its target returned');
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value as TargetResult<Target>;
  }

  /**
   * @internal Calls back when the child has ended, and drops what it has still sent. Otherwise its
   * channel would stay open as long as a process has it that the child has started. That keeps
   * this process not alive.
   */
  onceEnded(callback: (exitCode: number) => void): void {
    const child = this.#started('onceEnded');
    const look = () => {
      if (this.#exitCode === null) return;
      this.#news.hearers.delete(look);
      if (child.connected) child.disconnect();
      callback(this.#exitCode);
    };
    this.#news.hearers.add(look);
  }

  #started(method: string): ChildProcess {
    const child = this.#child;
    if (child) return child;
    throw new ProcessError(`${this.name} was not started: call start() before ${method}()`);
  }

  /**
   * The standard input of the child, if it is `'pipe'`; otherwise null. Undefined before start().
   */
  get stdin(): Writable | null | undefined {
    return this.#child?.stdin;
  }

  /** Its standard output, in the same way. */
  get stdout(): Readable | null | undefined {
    return this.#child?.stdout;
  }

  /** Its standard error, in the same way. */
  get stderr(): Readable | null | undefined {
    return this.#child?.stderr;
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

/** @throws ProcessError unless there is such a directory. */
function existing(directory: string): string {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ProcessError(`cwd is no directory: ${directory}`);
  }
  return path.resolve(directory);
}

function checkMayStart(): void {
  if (startup.loading) {
    throw new ProcessError(
      'start() at the top level of a module that the child is still loading: every child would ' +
        'start another one. Put what only the program itself does, such as start() and new Pool(), ' +
        'behind "if (parentProcess() === null)"',
    );
  }
  if (identity().daemon) {
    throw new ProcessError('a daemon may not start Processes: nobody would end them with it');
  }
}
