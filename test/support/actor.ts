// Remote control of objects in this thread, in a worker, or in another process, by one interface: a
// contract is written once and checked wherever the two sides of it live.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Handle, ObjectEntry, OpenOptions } from 'holdfast';
import { Host } from '../programs/host.mjs';
import { within } from './time.js';

/** What these suites are about; a queue has its own. */
export type Kind = 'Lock' | 'RLock' | 'Semaphore';
/** Those that have suites of their own. */
export type FamilyKind = 'BoundedSemaphore' | 'ReadWriteLock' | 'Event' | 'SharedMemory';
export type Place = 'thread' | 'worker' | 'process';

/** An acquisition that succeeded. `at`: when, by now(). */
export interface Hold {
  readonly abandoned: boolean;
  readonly at: number;
  /** Through the guard (a Semaphore: by its release()). Resolves to when, before it was released. */
  release(): Promise<{ at: number }>;
}

/** An acquisition on its way: a promise of the hold, and what can be done meanwhile. */
export interface Wait extends Promise<Hold> {
  /** acquire(): its synchronous part is over, so it is enrolled. acquireSync(): about to block. */
  readonly started: Promise<void>;
  /** By the signal, if there is one. */
  abort(reason?: string): Promise<void>;
  /** Of the acquisition, for acts. */
  readonly id: number;
}

export interface WaitFor {
  timeout?: number;
  /** 'live': can be aborted; 'aborted': was, before the call. */
  signal?: 'live' | 'aborted';
}

/** What list() shows, in a directory where there are only these kinds. */
export type Entry = ObjectEntry & { kind: Kind };

type Command = { do: string; [argument: string]: unknown };
interface Answer<T> {
  started: Promise<void>;
  result: Promise<T>;
}

/** One object that an actor has open. */
export class Remote {
  constructor(
    readonly actor: Actor,
    readonly id: number,
    readonly name: string,
    readonly posixName: string,
    readonly handle: Handle,
  ) {}

  acquire({ timeout, signal }: WaitFor = {}): Wait {
    const options = timeout === undefined ? undefined : { timeout };
    return this.#wait({ do: 'acquire', options, signal });
  }

  acquireSync({ timeout }: WaitFor = {}): Wait {
    return this.#wait({
      do: 'acquireSync',
      options: timeout === undefined ? undefined : { timeout },
    });
  }

  async tryAcquire(method = 'tryAcquire'): Promise<Hold | null> {
    const hold = nextId();
    const command = { do: 'tryAcquire', object: this.id, hold, method };
    const got = await this.actor.send<Got | null>(command);
    return got && this.#hold(hold, got);
  }

  /** Whatever waits: acquireShared, waitSync. */
  begin(method: string, { timeout, signal }: WaitFor = {}): Wait {
    const options = timeout === undefined ? undefined : { timeout };
    return method.endsWith('Sync')
      ? this.#wait({ do: 'acquireSync', method, options })
      : this.#wait({ do: 'acquire', method, options, signal });
  }

  call<T = void>(method: string, ...args: unknown[]): Promise<T> {
    return this.actor.send<T>({ do: 'call', object: this.id, method, args });
  }

  release(n?: number): Promise<void> {
    return n === undefined ? this.call('release') : this.call('release', n);
  }
  locked(): Promise<boolean> {
    return this.call('locked');
  }
  depth(): Promise<number> {
    return this.call('depth');
  }
  value(): Promise<number> {
    return this.call('value');
  }
  inspect<T = State>(): Promise<T> {
    return this.call<T>('inspect');
  }
  close(): Promise<void> {
    return this.call('close');
  }
  unlink(): Promise<void> {
    return this.call('unlink');
  }
  async waiters(): Promise<number> {
    return (await this.inspect()).waiters;
  }

  #wait(command: Command): Wait {
    const id = nextId();
    const answer = this.actor.ask<Got>({ ...command, object: this.id, hold: id });
    const hold = answer.result.then((got) => this.#hold(id, got));
    // Whoever never looks at it (its actor is killed) must not be an unhandled rejection.
    hold.catch(() => {});
    answer.started.catch(() => {});
    return Object.assign(hold, {
      id,
      started: answer.started,
      abort: (reason = 'aborted') => this.actor.send<void>({ do: 'abort', hold: id, reason }),
    });
  }

  #hold(id: number, { abandoned, at }: Got): Hold {
    return {
      abandoned,
      at,
      release: () => this.actor.send<{ at: number }>({ do: 'releaseHold', hold: id }),
    };
  }
}

interface Got {
  abandoned: boolean;
  at: number;
}

/** What inspect() shows, of all kinds. */
export interface State {
  locked: boolean;
  abandoned: boolean;
  owner: { pid: number; threadId: number; processName: string } | null;
  value: number;
  initial: number;
  waiters: number;
  acquisitions: number;
  contentions: number;
  abandonments: number;
}

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export abstract class Actor {
  abstract readonly place: Place;
  /** Process and thread, as inspect() shows them. */
  abstract readonly pid: number;
  abstract readonly threadId: number;
  abstract ask<T>(command: Command): Answer<T>;
  /** SIGKILL to a process, terminate() to a worker. Resolves when it is gone. */
  abstract kill(): Promise<End>;
  abstract readonly ended: Promise<End>;
  /** Lets it go: it ends by itself when its event loop has nothing left. */
  abstract leave(): Promise<End>;
  abstract readonly isGone: boolean;

  send<T>(command: Command, ms?: number): Promise<T> {
    const { started, result } = this.ask<T>(command);
    started.catch(() => {});
    return within(result, `${command.do} in the ${this.place}`, ms);
  }

  async open(
    kind: Kind | FamilyKind,
    options: OpenOptions = {},
    initial?: number,
  ): Promise<Remote> {
    return this.#opened({ do: 'open', kind, options, initial });
  }
  attach(handle: Handle): Promise<Remote> {
    return this.#opened({ do: 'attach', handle });
  }
  list(): Promise<Entry[]> {
    return this.send({ do: 'list' });
  }
  unlinkName(kind: Kind | FamilyKind, name: string): Promise<void> {
    return this.send({ do: 'unlinkName', kind, name });
  }
  /** Runs a function of programs/acts.mjs there. */
  act<T>(name: string, args: Record<string, unknown> = {}, ms?: number): Promise<T> {
    return this.send({ do: 'act', name, args }, ms);
  }
  reset(): Promise<void> {
    return this.send({ do: 'reset' });
  }
  /** process.exit() there: ends the process, or the worker alone. */
  async exit(code = 0): Promise<End> {
    this.ask({ do: 'exit', code }).result.catch(() => {});
    return within(this.ended, 'process.exit()');
  }
  /** An exception that nobody catches. */
  async crash(): Promise<End> {
    this.ask({ do: 'crash' }).result.catch(() => {});
    return within(this.ended, 'dying of an exception');
  }

  async #opened(command: Command): Promise<Remote> {
    const object = nextId();
    const { name, posixName, handle } = await this.send<Remote>({ ...command, object });
    return new Remote(this, object, name, posixName, handle);
  }
}

let lastId = 0;
function nextId(): number {
  return ++lastId;
}

// ---------------------------------------------------------------- in this thread

/** Runs everything at once, in the thread of the test: acquireSync() blocks the test. */
class ThreadActor extends Actor {
  readonly place = 'thread';
  readonly pid = process.pid;
  readonly threadId = 0;
  readonly isGone = false;
  readonly #host = new Host();

  ask<T>(command: Command): Answer<T> {
    const run = async () => (this.#host as unknown as Record<string, Run>)[command.do]!(command);
    return { started: Promise.resolve(), result: run() as Promise<T> };
  }
  get ended(): Promise<End> {
    return Promise.reject(new Error('the thread of the test does not end'));
  }
  kill(): Promise<End> {
    return this.ended;
  }
  leave(): Promise<End> {
    return this.ended;
  }
}
type Run = (command: Command) => unknown;

// ---------------------------------------------------------------- elsewhere

/** An error that came back from elsewhere, with the properties that it had there. */
class RemoteError extends Error {}

interface Packed {
  error?: { message: string; stack: string; cause?: Packed };
  value?: unknown;
}

function unpack(packed: Packed): unknown {
  if (packed.error === undefined) return packed.value;
  const { message, stack, cause, ...rest } = packed.error;
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const error = Object.assign(new RemoteError(message), known);
  error.stack = `${stack}\n    -- elsewhere; here:\n${error.stack}`;
  if (cause) error.cause = unpack(cause);
  return error;
}

interface Message {
  ready?: true;
  id: number;
  started?: true;
  failure?: Packed;
  value?: unknown;
}

interface Asked {
  started(): void;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

abstract class RemoteActor extends Actor {
  readonly ended: Promise<End>;
  isGone = false;
  readonly ready: Promise<void>;
  #setReady!: () => void;
  #setEnded!: (end: End) => void;
  readonly #asked = new Map<number, Asked>();

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

  protected abstract post(command: Command): void;
  /** What it wrote to its standard error last, for failures. */
  lastWords = '';

  ask<T>(command: Command): Answer<T> {
    const id = nextId();
    let asked!: Asked;
    const answer = {} as Answer<T>;
    answer.started = new Promise<void>((started, failed) => {
      answer.result = new Promise<T>((resolve, reject) => {
        asked = {
          started,
          resolve: resolve as (value: unknown) => void,
          reject(reason) {
            failed(reason);
            reject(reason);
          },
        };
      });
    });
    answer.started.catch(() => {});
    answer.result.catch(() => {});
    if (this.isGone) asked.reject(new Error(`the ${this.place} is gone`));
    else {
      this.#asked.set(id, asked);
      this.post({ ...command, id });
    }
    return answer;
  }

  leave(): Promise<End> {
    this.post({ do: 'leave' });
    return within(this.ended, 'leaving the event loop');
  }

  protected onMessage(message: Message): void {
    if (message.ready) return this.#setReady();
    const asked = this.#asked.get(message.id);
    if (asked === undefined) return;
    if (message.started) return asked.started();
    this.#asked.delete(message.id);
    if (message.failure) asked.reject(unpack(message.failure));
    else asked.resolve(message.value);
  }

  protected onEnd(end: End): void {
    this.isGone = true;
    this.#setEnded(end);
    const reason = new Error(`the ${this.place} ended: ${JSON.stringify(end)} ${this.lastWords}`);
    for (const asked of this.#asked.values()) asked.reject(reason);
    this.#asked.clear();
  }
}

const file = new URL('../programs/actor.mjs', import.meta.url);

class WorkerActor extends RemoteActor {
  readonly place = 'worker';
  readonly pid = process.pid;
  readonly threadId: number;
  readonly #worker: Worker;

  constructor() {
    super();
    // No loader in there: execArgv would be that of mocha.
    this.#worker = new Worker(file, { execArgv: [], stderr: true });
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
  /** A command that runs the rest of its arguments, such as `['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh']`. */
  wrapper?: string[];
}

class ProcessActor extends RemoteActor {
  readonly place = 'process';
  readonly threadId = 0;
  readonly #child: ChildProcess;

  constructor({ env = {}, nodeArgs = [], wrapper = [] }: ProcessOptions) {
    super();
    const [command, ...args] = [...wrapper, process.execPath, ...nodeArgs, fileURLToPath(file)];
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
    this.#child.on('exit', (code, signal) => this.onEnd({ code, signal }));
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
    // The channel may close between the end of the process and our hearing of it.
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

/** A process of the test's own, which may kill it. */
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
 * One that all tests share, because to start a process takes longer than most tests. `number` tells
 * those of one place (and one HOLDFAST_DIR) apart. Do not end it.
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

/** After each test: shared actors give everything back, those of the test's own are ended. */
export async function resetActors(): Promise<void> {
  await here.reset();
  const shared = new Set(pool.values());
  await Promise.all(
    [...alive].map(async (actor) => {
      if (!shared.has(actor)) return void (await actor.kill());
      // One that hangs (the test failed) is replaced by the next test that needs it.
      await within(actor.reset(), 'reset', 3000).catch(() => actor.kill());
    }),
  );
}

export async function endActors(): Promise<void> {
  await Promise.all([...alive].map((actor) => actor.kill()));
}
