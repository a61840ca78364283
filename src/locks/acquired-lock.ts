import { inspect } from 'node:util';
import { type Inspecting, inspectAs, uncloneable } from '../uncloneable.js';
import { type LockMode, type WebLock, belongs, factsOf } from './lock.js';

/** A lock that LockManager.acquire() has acquired, until its release(). */
export interface AcquiredLock extends AsyncDisposable, Disposable {
  /** The name that was asked for. */
  readonly name: string;
  /** How it is held. */
  readonly mode: LockMode;
  /** True if the last exclusive holder died with its hold: see WebLock. */
  readonly abandoned: boolean;
  /** A fencing token, which only grows for each name: see WebLock. */
  readonly token: bigint;
  /** True from when this thread has heard that the lock was stolen. */
  readonly stolen: boolean;
  /** Releases the lock. A second call does nothing. Does not block. */
  release(): void;
}

/** @internal */
export class Acquired implements AcquiredLock {
  readonly [uncloneable] = belongs;
  readonly #lock: WebLock;
  readonly #release: () => void;

  constructor(lock: WebLock, release: () => void) {
    this.#lock = lock;
    this.#release = release;
  }

  get name(): string {
    return this.#lock.name;
  }
  get mode(): LockMode {
    return this.#lock.mode;
  }
  get abandoned(): boolean {
    return this.#lock.abandoned;
  }
  get token(): bigint {
    return this.#lock.token;
  }
  get stolen(): boolean {
    return this.#lock.stolen;
  }
  release(): void {
    this.#release();
  }
  [inspect.custom](...how: Inspecting): string {
    return inspectAs('AcquiredLock', #lock in this ? factsOf(this) : {}, ...how);
  }
  [Symbol.dispose](): void {
    this.#release();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
  }
}
