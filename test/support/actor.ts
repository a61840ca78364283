// One interface to objects in this thread, in a worker or in another process. So a contract is
// written once, and tested wherever its two sides live. programs/actor/host.mjs does what a command
// says; actors.ts has the three kinds of actors.
import type { Handle, ObjectEntry, OpenOptions } from 'holdfast';
import { within } from './time.js';

/** The kinds that most suites test. */
export type Kind = 'Lock' | 'RLock' | 'Semaphore';
/** Kinds that have suites of their own. */
export type OtherKind = 'BoundedSemaphore' | 'ReadWriteLock' | 'Event' | 'SharedMemory';
export type Place = 'thread' | 'worker' | 'process';
export const places: readonly Place[] = ['thread', 'worker', 'process'];

/** What list() shows in a directory that has only objects of these kinds. */
export type Entry = ObjectEntry & { kind: Kind };

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export type Command = { do: string; [argument: string]: unknown };

/** What an actor sends: answers to commands, and `ready` once. */
export interface Message {
  ready?: true;
  id: number;
  started?: true;
  failure?: Packed;
  value?: unknown;
}

/**
 * A command that was sent: a promise of its result. A rejection that no code awaits is not an
 * unhandled rejection.
 */
export interface Call<T> extends Promise<T> {
  /** The id of what the command makes or returns in the actor. */
  readonly id: number;
  /** Resolves when an asynchronous call has enrolled, or when a blocking one is about to block. */
  readonly started: Promise<void>;
  /** Aborts the signal of the call, if it has one. */
  abort(reason?: string): Promise<void>;
}

export interface WaitOptions {
  timeout?: number;
  /** 'live': abort() of the call aborts it; 'aborted': it was aborted before the call. */
  signal?: 'live' | 'aborted';
}

/** An acquisition that succeeded. */
export interface Hold {
  readonly abandoned: boolean;
  /** When it was acquired, by now(). */
  readonly at: number;
  /** When the blocking wait for it last looked by itself; see looks.ts. */
  readonly looked: number | undefined;
  /** Resolves to the time right before the release. */
  release(): Promise<{ at: number }>;
}

/** A guard or a task in an actor: its fields, and a way to call its methods. */
export interface Kept {
  readonly abandoned?: boolean;
  readonly value?: unknown;
  readonly deliveries?: number;
  readonly remote: RemoteObject;
}

/** What inspect() shows, of all kinds. */
export interface State {
  locked: boolean;
  abandoned: boolean;
  owner: { pid: number; threadId: number; processName: string } | null;
  value: number;
  initial: number;
  heldFor: number | null;
  waiters: number;
  longestWait: number | null;
  acquisitions: number;
  contentions: number;
  abandonments: number;
}

/** The thread, worker or process that commands are sent to. */
export abstract class Actor {
  abstract readonly place: Place;
  /** Process and thread, as inspect() shows them. */
  abstract readonly pid: number;
  abstract readonly threadId: number;
  abstract readonly isGone: boolean;
  abstract readonly ended: Promise<End>;
  /** SIGKILL to a process, terminate() to a worker. Resolves when it is gone. */
  abstract kill(): Promise<End>;
  /** Leaves the actor: it ends by itself when its event loop has no work left. */
  abstract leave(): Promise<End>;
  protected abstract post(command: Command & { id: number }): void;

  readonly #asked = new Map<number, Asked>();

  /** Sends a command, and does not wait. */
  ask<T>(command: Command): Call<T> {
    const id = ++lastId;
    let started!: Promise<void>;
    const result = new Promise<T>((resolve, reject) => {
      started = new Promise<void>((begun, failed) => {
        const fail = (reason: unknown) => (failed(reason), reject(reason));
        this.#asked.set(id, { started: begun, resolve: resolve as Asked['resolve'], fail });
      });
    });
    started.catch(() => {});
    result.catch(() => {});
    if (this.isGone) this.failed(id, new Error(`the ${this.place} is gone`));
    else this.post({ ...command, id });
    const abort = (reason = 'aborted') => this.send<void>({ do: 'abort', call: id, reason });
    return Object.assign(result, { id, started, abort });
  }

  /** Sends a command and resolves to its result, or fails if that takes too long. */
  send<T>(command: Command, ms?: number): Promise<T> {
    return within(this.ask<T>(command), `${command.do} in the ${this.place}`, ms);
  }

  /** Makes an object in the actor: new Type(...args). */
  make(type: string, ...args: unknown[]): Promise<RemoteObject> {
    return this.#made(type, { do: 'make', type, args: args.map(reference) });
  }

  /** Opens an object. `number` is the number that some kinds are made with: permits, or bytes. */
  open(kind: Kind | OtherKind, options: OpenOptions = {}, number?: number): Promise<RemoteObject> {
    const takesNumber = ['Semaphore', 'BoundedSemaphore', 'SharedMemory'].includes(kind);
    return takesNumber ? this.make(kind, number, options) : this.make(kind, options);
  }

  attach(handle: Handle): Promise<RemoteObject> {
    return this.#made('attach', { do: 'attach', handle });
  }

  list(): Promise<Entry[]> {
    return this.send({ do: 'list' });
  }

  unlinkName(kind: Kind | OtherKind | 'unknown', name: string): Promise<void> {
    return this.send({ do: 'unlinkName', kind, name });
  }

  /** Runs a function of programs/actor/acts.mjs in the actor. */
  startAct<T>(name: string, args: Record<string, unknown> = {}): Call<T> {
    const entries = Object.entries(args).map(([key, value]) => [key, reference(value)]);
    return this.ask<T>({ do: 'act', name, args: Object.fromEntries(entries) });
  }

  act<T>(name: string, args: Record<string, unknown> = {}, ms?: number): Promise<T> {
    return within(this.startAct<T>(name, args), `${name} in the ${this.place}`, ms);
  }

  /** Releases and closes everything, for the next test. */
  reset(): Promise<void> {
    return this.send({ do: 'reset' });
  }

  /** Calls process.exit() in the actor. It ends a process, or a worker alone. */
  exit(code = 0): Promise<End> {
    this.ask({ do: 'exit', code });
    return within(this.ended, 'process.exit()');
  }

  /** Throws an exception that no code catches. */
  crash(): Promise<End> {
    this.ask({ do: 'crash' });
    return within(this.ended, 'dying of an exception');
  }

  /** Called with each message of the actor. */
  protected answered({ id, started, failure, value }: Message): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    if (started) return asked.started();
    if (failure) return this.failed(id, unpack(failure));
    this.#asked.delete(id);
    asked.resolve(value);
  }

  protected failed(id: number, reason: unknown): void {
    this.#asked.get(id)?.fail(reason);
    this.#asked.delete(id);
  }

  protected failedAll(reason: Error): void {
    for (const id of this.#asked.keys()) this.failed(id, reason);
  }

  async #made(what: string, command: Command): Promise<RemoteObject> {
    const call = this.ask<{ name: string; posixName: string; handle: Handle }>(command);
    const { name, posixName, handle } = await within(call, `${what} in the ${this.place}`);
    return new RemoteObject(this, call.id, name, posixName, handle);
  }
}

interface Asked {
  started(): void;
  resolve(value: unknown): void;
  fail(reason: unknown): void;
}

let lastId = 0;

/** An object, a guard or a task that an actor has. */
export class RemoteObject {
  constructor(
    readonly actor: Actor,
    readonly id: number,
    readonly name = '',
    readonly posixName = '',
    readonly handle?: Handle,
  ) {}

  /** Starts a call, and does not wait for it. */
  start<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.#call<T>(method, args);
  }

  /** The same, with a signal in the last argument, which is the options of the wait. */
  startAbortable<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.#call<T>(method, args, { signal: 'live' });
  }

  call<T = void>(method: string, ...args: unknown[]): Promise<T> {
    return within(this.start<T>(method, ...args), `${method}() in the ${this.actor.place}`);
  }

  /** Calls a method that returns a guard or a task. */
  async keep(method = 'acquire', ...args: unknown[]): Promise<Kept> {
    const call = this.start<Omit<Kept, 'remote'> | null | undefined>(method, ...args);
    const kept = await within(call, `${method}() in the ${this.actor.place}`);
    if (kept === null || kept === undefined) throw new Error(`${method}() had nothing`);
    return { ...kept, remote: new RemoteObject(this.actor, call.id) };
  }

  /** Starts an acquisition, or anything else that waits: acquireShared, waitSync. */
  begin(method: string, { timeout, signal }: WaitOptions = {}): Call<Hold> {
    const args = timeout === undefined ? [] : [{ timeout }];
    const call = this.#call<Acquired>(method, args, { signal, hold: true });
    const hold = call.then((acquired) => this.#hold(call.id, acquired));
    hold.catch(() => {});
    const { id, started, abort } = call;
    return Object.assign(hold, { id, started, abort });
  }

  acquire(options?: WaitOptions): Call<Hold> {
    return this.begin('acquire', options);
  }
  acquireSync({ timeout }: WaitOptions = {}): Call<Hold> {
    return this.begin('acquireSync', timeout === undefined ? {} : { timeout });
  }
  async tryAcquire(method = 'tryAcquire'): Promise<Hold | null> {
    const call = this.#call<Acquired | null>(method, [], { hold: true });
    const acquired = await within(call, `${method}() in the ${this.actor.place}`);
    return acquired && this.#hold(call.id, acquired);
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

  #call<T>(method: string, args: unknown[], how: object = {}): Call<T> {
    const given = args.map(reference);
    return this.actor.ask<T>({ do: 'call', object: this.id, method, args: given, ...how });
  }

  #hold(id: number, { abandoned, at, looked }: Acquired): Hold {
    const release = () => this.actor.send<{ at: number }>({ do: 'release', hold: id });
    return { abandoned, at, looked, release };
  }
}

type Acquired = Pick<Hold, 'abandoned' | 'at' | 'looked'>;

/** The value that stands for an object in a command. */
function reference(value: unknown): unknown {
  return value instanceof RemoteObject ? { here: value.id } : value;
}

/** An error that came from an actor, with the properties that it had there. */
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
  error.stack = `${stack}\n    -- in the actor; in the test:\n${error.stack}`;
  if (cause) error.cause = unpack(cause);
  return error;
}
