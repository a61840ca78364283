// What the suites of Condition, Barrier and JoinableQueue share: any method of any object in this thread,
// in a worker or in another process, and local objects that are closed after the test.
import { HeldError, list, unlink } from 'holdfast';
import { type Actor, type Place, sharedActor, within } from './index.js';

/** A call on its way. */
export interface Call<T> extends Promise<T> {
  readonly id: number;
  /** What is asynchronous has enrolled; what blocks is about to. */
  readonly started: Promise<void>;
  abort(reason?: string): Promise<void>;
}

/** What a guard or a task says of itself, and the way to its methods. */
export interface Kept {
  readonly abandoned?: boolean;
  readonly value?: unknown;
  readonly deliveries?: number;
  readonly far: Far;
}

// Far from the numbers that actor.ts gives.
let lastId = 1e9;
const isBlocking = (method: string) => method.endsWith('Sync') || method.startsWith('try');

/** An object in an actor. */
export class Far {
  constructor(
    readonly actor: Actor,
    readonly id: number,
    readonly name: string,
  ) {}

  /** Starts a call; nobody waits for it yet. */
  start<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.#invoke(method, args, false);
  }

  /** Its last argument is WaitOptions. */
  startAbortable<T = unknown>(method: string, ...args: unknown[]): Call<T> {
    return this.#invoke(method, args.length === 0 ? [{}] : args, true);
  }

  call<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    return within(this.start<T>(method, ...args), `${method}() in a ${this.actor.place}`);
  }

  /** Calls what returns a guard or a task. */
  async keep(method = 'acquire', ...args: unknown[]): Promise<Kept> {
    const call = this.start<Omit<Kept, 'far'> | null | undefined>(method, ...args);
    const got = await within(call, `${method}() in a ${this.actor.place}`);
    if (got === null || got === undefined) throw new Error(`${method}() had nothing`);
    return { ...got, far: new Far(this.actor, call.id, '') };
  }

  #invoke<T>(method: string, args: unknown[], abortable: boolean): Call<T> {
    const keep = ++lastId;
    const blocks = isBlocking(method);
    const command = { do: 'invoke', object: this.id, method, args, keep, abortable, blocks };
    const { started, result } = this.actor.ask<T>(command);
    result.catch(() => {});
    started.catch(() => {});
    return Object.assign(result, {
      id: keep,
      started,
      abort: (reason = 'aborted') => this.actor.send<void>({ do: 'abort', hold: keep, reason }),
    });
  }
}

/** new Type(...args) over there; an argument may be a Far of the same actor. */
export async function make(actor: Actor, type: string, ...args: unknown[]): Promise<Far> {
  const object = ++lastId;
  const given = args.map((arg) => (arg instanceof Far ? { here: arg.id } : arg));
  const { name } = await actor.send<{ name: string }>({ do: 'make', object, type, args: given });
  return new Far(actor, object, name);
}

export async function attachIn(actor: Actor, handle: object): Promise<Far> {
  const object = ++lastId;
  const { name } = await actor.send<{ name: string }>({ do: 'attach', object, handle });
  return new Far(actor, object, name);
}

/** `count` actors of one place. */
export function actors(place: Exclude<Place, 'thread'>, count: number): Promise<Actor[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => sharedActor(place, i + 1)));
}

// ---------------------------------------------------------------- here

const opened: Disposable[] = [];

/** Closed after the test, however it ends; the last one first. */
export function opens<T extends Disposable>(object: T): T {
  opened.push(object);
  return object;
}

function letGo(object: Disposable & { release?(): void }): void {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return object[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof HeldError) || object.release === undefined) return;
      try {
        object.release();
      } catch {
        return;
      }
    }
  }
}

/** To be called in the describe() of each suite that uses anything of this file. */
export function useFar(): void {
  // Before the hook of support/hooks.ts, which runs after those of a suite, looks for what was left.
  afterEach(() => {
    for (const object of opened.splice(0).reverse()) letGo(object);
  });
  after(() => {
    // A Condition's own lock whose holder was killed waits for somebody to tell.
    for (const { kind, name, inUse } of list()) {
      if (!inUse && name.startsWith('lock of Condition ')) unlink(kind, name);
    }
  });
}

/** What settles a promise, as text; 'pending' if nothing has within some turns of the event loop. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'done' | 'failed'> {
  const turns = (async () => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    return 'pending' as const;
  })();
  return Promise.race([
    promise.then(
      () => 'done' as const,
      () => 'failed' as const,
    ),
    turns,
  ]);
}

/** How many of them have settled. */
export async function settledOf(promises: readonly Promise<unknown>[]): Promise<number> {
  const states = await Promise.all(promises.map(stateOf));
  return states.filter((state) => state !== 'pending').length;
}
