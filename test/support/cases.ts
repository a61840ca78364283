// The matrix over which every contract is tested: the kind, where the two sides live, and the form
// of waiting. The runner adds the platform, linux or posix.
import type { Actor, Call, Hold, Kind, Place, RemoteObject, WaitOptions } from './actor.js';
import { sharedActor } from './actors.js';
import { freshName } from './hooks.js';
import { until } from './time.js';

export type Form = 'async' | 'sync';
export const forms: readonly Form[] = ['async', 'sync'];

export interface Setting {
  readonly title: string;
  readonly a: Place;
  readonly b: Place;
}

export const settings: readonly Setting[] = [
  { title: 'in one thread', a: 'thread', b: 'thread' },
  { title: 'a thread and its worker', a: 'thread', b: 'worker' },
  { title: 'two workers', a: 'worker', b: 'worker' },
  { title: 'two processes', a: 'process', b: 'process' },
  { title: 'a worker and another process', a: 'worker', b: 'process' },
];

/** Two actors that share a new object of one kind. A Semaphore has one permit. */
export interface Pair {
  readonly name: string;
  readonly first: Actor;
  readonly second: Actor;
  /** The same object, opened by the first and by the second. */
  readonly a: RemoteObject;
  readonly b: RemoteObject;
}

/** The places in which an actor can be killed or ended. */
export const remotePlaces = ['process', 'worker'] as const;

/** The title of the first test in the suites of objects. */
export const across = { process: 'across processes', worker: 'in workers' } as const;

export class Case {
  constructor(
    readonly kind: Kind,
    readonly setting: Setting,
  ) {}

  get sameThread(): boolean {
    return this.setting.a === 'thread' && this.setting.b === 'thread';
  }

  /** The forms in which b can wait for a. A thread that blocks cannot release what it waits for. */
  get waits(): readonly Form[] {
    return this.sameThread ? ['async'] : forms;
  }

  async open(): Promise<Pair> {
    const name = freshName(this.kind);
    const first = await sharedActor(this.setting.a, 1);
    const second = await sharedActor(this.setting.b, 2);
    const a = await first.open(this.kind, { name });
    const b = await second.open(this.kind, { name });
    return { name, first, second, a, b };
  }
}

/** Registers `define` for each kind and setting in which a excludes b. */
export function forEachCase(
  kinds: readonly Kind[],
  define: (subject: Case) => void,
  where: (subject: Case) => boolean = () => true,
): void {
  for (const kind of kinds) {
    for (const setting of settings) {
      const subject = new Case(kind, setting);
      // A thread that holds an RLock can always acquire it again: see reentrancy.test.ts.
      if (kind === 'RLock' && subject.sameThread) continue;
      if (where(subject)) describe(`${kind}, ${setting.title}`, () => define(subject));
    }
  }
}

export const allKinds = ['Lock', 'RLock', 'Semaphore'] as const;
export const ownedKinds = ['Lock', 'RLock'] as const;

export function acquire(remote: RemoteObject, form: Form, options?: WaitOptions): Call<Hold> {
  return form === 'sync' ? remote.acquireSync(options) : remote.acquire(options);
}

/** Resolves when the object counts `count` waiting acquisitions. `witness` must not block. */
export function waiting(witness: RemoteObject, count = 1): Promise<void> {
  return until(async () => (await witness.waiters()) === count, `${count} waiting`);
}

/** True if it can be acquired, and its wait set is empty. */
export async function isFree(remote: RemoteObject): Promise<boolean> {
  const { locked, value, waiters } = await remote.inspect();
  return waiters === 0 && (locked === undefined ? value === 1 : !locked);
}
