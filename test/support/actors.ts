// The actors of a run: this thread, workers and processes. Tests share some of them, and others
// belong to one test.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Host } from '../programs/actor/host.mjs';
import { Actor, type Command, type End, type Message, type Place } from './actor.js';
import { within } from './time.js';

/** Runs each command at once, in the thread of the test, so acquireSync() blocks the test. */
class ThreadActor extends Actor {
  readonly place = 'thread';
  readonly pid = process.pid;
  readonly threadId = 0;
  readonly isGone = false;
  readonly #host = new Host() as unknown as Record<string, (command: Command) => unknown>;

  get ended(): Promise<End> {
    return Promise.reject(new Error('the thread of the test does not end'));
  }
  kill(): Promise<End> {
    return this.ended;
  }
  leave(): Promise<End> {
    return this.ended;
  }

  protected post(command: Command & { id: number }): void {
    const { id } = command;
    const run = async () => this.#host[command.do]!(command);
    this.answered({ id, started: true });
    // The error is not packed: it is the object that was thrown.
    run().then(
      (value) => this.answered({ id, value }),
      (error: unknown) => this.failed(id, error),
    );
  }
}

/** An actor that can end, and that is told by messages what to do. */
abstract class RemoteActor extends Actor {
  readonly ended: Promise<End>;
  readonly ready: Promise<void>;
  isGone = false;
  /** The last part of its standard error, shown when a test fails. */
  lastWords = '';
  #setReady!: () => void;
  #setEnded!: (end: End) => void;

  constructor() {
    super();
    this.ended = new Promise((resolve) => (this.#setEnded = resolve));
    const ready = new Promise<void>((resolve) => (this.#setReady = resolve));
    const stillborn = this.ended.then(() => {
      throw new Error(`the ${this.place} ended before it was ready: ${this.lastWords}`);
    });
    stillborn.catch(() => {});
    this.ready = within(Promise.race([ready, stillborn]), 'starting an actor');
  }

  leave(): Promise<End> {
    this.ask({ do: 'leave' });
    return within(this.ended, 'leaving the event loop');
  }

  protected onMessage(message: Message): void {
    if (message.ready) this.#setReady();
    else this.answered(message);
  }

  protected onEnd(end: End): void {
    this.isGone = true;
    this.#setEnded(end);
    const reason = `the ${this.place} ended: ${JSON.stringify(end)} ${this.lastWords}`;
    this.failedAll(new Error(reason));
  }
}

const program = new URL('../programs/actor/actor.mjs', import.meta.url);

class WorkerActor extends RemoteActor {
  readonly place = 'worker';
  readonly pid = process.pid;
  readonly threadId: number;
  readonly #worker: Worker;

  constructor() {
    super();
    // Without execArgv it would inherit the loader of mocha.
    this.#worker = new Worker(program, { execArgv: [], stderr: true });
    this.threadId = this.#worker.threadId;
    this.#worker.on('message', (message: Message) => this.onMessage(message));
    this.#worker.on('error', (error) => (this.lastWords = String(error)));
    this.#worker.on('exit', (code) => this.onEnd({ code, signal: null }));
  }

  async kill(): Promise<End> {
    await within(this.#worker.terminate(), 'terminating a worker');
    return this.ended;
  }

  protected post(command: Command): void {
    this.#worker.postMessage(command);
  }
}

export interface ProcessOptions {
  env?: NodeJS.ProcessEnv;
  /** Options of node, such as --expose-gc. */
  nodeArgs?: string[];
  /**
   * A command that runs the rest of its arguments: `['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh']`.
   */
  wrapper?: string[];
  /** The URL of a module whose exports are acts too. */
  acts?: string;
}

export class ProcessActor extends RemoteActor {
  readonly place = 'process';
  readonly threadId = 0;
  readonly #child: ChildProcess;

  constructor({ env = {}, nodeArgs = [], wrapper = [], acts }: ProcessOptions) {
    super();
    const node = [process.execPath, ...nodeArgs, fileURLToPath(program), ...(acts ? [acts] : [])];
    const [command, ...args] = [...wrapper, ...node];
    this.#child = spawn(command!, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-2000);
    });
    this.#child.on('message', (message) => this.onMessage(message as Message));
    this.#child.on('error', (error) => (this.lastWords += String(error)));
    this.#child.on('exit', (code, signal) => {
      this.onEnd({ code, signal });
      // A process that has inherited the channel must not keep this one alive.
      if (this.#child.connected) this.#child.disconnect();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(): Promise<End> {
    this.signal('SIGKILL');
    return within(this.ended, 'dying of SIGKILL');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  protected post(command: Command): void {
    // The channel may close before this thread has heard that the process ended.
    if (this.#child.connected) this.#child.send(command, () => {});
  }
}

// ---------------------------------------------------------------- making and keeping them

const here = new ThreadActor();
const alive = new Set<RemoteActor>();
const pool = new Map<string, RemoteActor>();

async function started<A extends RemoteActor>(actor: A): Promise<A> {
  alive.add(actor);
  void actor.ended.then(() => alive.delete(actor));
  await actor.ready;
  return actor;
}

/** A process of one test, which may kill it. */
export function newProcess(options: ProcessOptions = {}): Promise<ProcessActor> {
  return started(new ProcessActor(options));
}

export function newWorker(): Promise<WorkerActor> {
  return started(new WorkerActor());
}

export function newActor(
  place: 'worker' | 'process',
  options: ProcessOptions = {},
): Promise<Actor> {
  return place === 'worker' ? newWorker() : newProcess(options);
}

/**
 * An actor that all tests share, because the start of a process takes longer than most tests.
 * `number` tells the actors of one place (and one HOLDFAST_DIR) apart. If a test has killed the
 * actor, the next test gets another one.
 */
export async function sharedActor(place: Place, number = 1, directory?: string): Promise<Actor> {
  if (place === 'thread') return here;
  const key = `${place} ${number} ${directory}`;
  const known = pool.get(key);
  if (known && !known.isGone) return known;
  const env = directory === undefined ? {} : { HOLDFAST_DIR: directory };
  const actor = await (place === 'worker' ? newWorker() : newProcess({ env }));
  pool.set(key, actor);
  return actor;
}

/** The first `count` shared actors of one place. */
export function sharedActors(place: 'worker' | 'process', count: number): Promise<Actor[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => sharedActor(place, i + 1)));
}

/** After each test: shared actors release everything, and the other actors are ended. */
export async function resetActors(): Promise<void> {
  await here.reset();
  const shared = new Set(pool.values());
  await Promise.all(
    [...alive].map(async (actor) => {
      if (!shared.has(actor)) return void (await actor.kill());
      // An actor that hangs has failed its test. It is killed, and the next test gets another one.
      await within(actor.reset(), 'reset', 3000).catch(() => actor.kill());
    }),
  );
}

export async function endActors(): Promise<void> {
  await Promise.all([...alive].map((actor) => actor.kill()));
}
