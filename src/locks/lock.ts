// What the callback of a request gets.
import { inspect } from 'node:util';
import { type Inspecting, inspectAs, refusal, uncloneable } from '../uncloneable.js';

/** How a lock is held: by one at a time, or together with others that have it shared. */
export type LockMode = 'exclusive' | 'shared';

/**
 * A lock that is held, as the Web Locks API has it. The callback of LockManager.request() gets it.
 * It is named Lock in the standard, where it has `name` and `mode`.
 */
export interface WebLock {
  /** The name that was asked for. */
  readonly name: string;
  /** How it is held. */
  readonly mode: LockMode;
  /**
   * True if the last exclusive holder died, or its thread ended, with its hold: check what the lock
   * guards. Shared holders are told as well, until an exclusive one was.
   */
  readonly abandoned: boolean;
  /**
   * A fencing token: each grant of a name has a greater one than every grant before it. What the
   * lock guards can refuse a writer whose token is not the greatest that it has seen: one that was
   * stopped for long, and whose lock was stolen meanwhile.
   */
  readonly token: bigint;
  /** True from when this thread has heard that the lock was stolen. */
  readonly stolen: boolean;
}

const make = Symbol('make');

/** @internal */
export const belongs = refusal(
  'a lock that is held: it belongs to the thread that requested it; pass its name instead',
);

let markStolen: (lock: Lock) => void;

/** @internal Only this package makes one. */
export class Lock implements WebLock {
  readonly [uncloneable] = belongs;
  readonly #name: string;
  readonly #mode: LockMode;
  readonly #abandoned: boolean;
  readonly #token: number;
  #stolen = false;

  constructor(key: symbol, name: string, mode: LockMode, abandoned: boolean, token: number) {
    if (key !== make) throw new TypeError('Illegal constructor');
    this.#name = name;
    this.#mode = mode;
    this.#abandoned = abandoned;
    this.#token = token;
  }

  get name(): string {
    return this.#name;
  }

  get mode(): LockMode {
    return this.#mode;
  }

  get abandoned(): boolean {
    return this.#abandoned;
  }

  get token(): bigint {
    return BigInt(this.#token);
  }

  get stolen(): boolean {
    return this.#stolen;
  }

  [inspect.custom](...how: Inspecting): string {
    return inspectAs('Lock', #name in this ? factsOf(this) : {}, ...how);
  }

  static {
    markStolen = (lock) => (lock.#stolen = true);
    // As WebIDL has it: attributes can be seen, and so can what kind of object this is.
    for (const key of ['name', 'mode', 'abandoned', 'token', 'stolen']) {
      Object.defineProperty(this.prototype, key, { enumerable: true });
    }
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'Lock',
      configurable: true,
    });
  }
}

/** @internal What inspect() shows of a lock. */
export function factsOf({ name, mode, abandoned, token, stolen }: WebLock): WebLock {
  return { name, mode, abandoned, token, stolen };
}

/** @internal */
export function makeLock(name: string, mode: LockMode, abandoned: boolean, token: number): Lock {
  return new Lock(make, name, mode, abandoned, token);
}

/** @internal */
export function setStolen(lock: Lock): void {
  markStolen(lock);
}
