// The locks of a cluster over an engine.
import { type ReadRequest, readRequest } from '../locks/arguments.js';
import type { LockMode } from '../locks/lock.js';
import { type Held, acquire, reasonOf } from './acquisition.js';
import { callInside } from './around.js';
import type {
  ClusterHold,
  ClusterLock,
  ClusterLockCallback,
  ClusterLockOptions,
  ClusterLocks,
  ClusterLockSnapshot,
} from './cluster.js';
import { checkNameLength } from './names.js';
import type { Sessions } from './sessions.js';

/** What request() got: the arguments are read as those of LockManager.request(). */
function readLockRequest(args: readonly unknown[]): ReadRequest {
  const read = readRequest(args, false);
  checkNameLength(read.name);
  return read;
}

export class RemoteLocks implements ClusterLocks {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  request<T>(name: string, callback: ClusterLockCallback<T>): Promise<Awaited<T>>;
  request<T>(
    name: string,
    options: ClusterLockOptions,
    callback: ClusterLockCallback<T>,
  ): Promise<Awaited<T>>;
  async request(name: unknown, callback: unknown, ...more: unknown[]): Promise<unknown> {
    const read = readLockRequest(arguments.length < 2 ? [...arguments] : [name, callback, ...more]);
    return this.#request(read);
  }

  async #request(read: ReadRequest): Promise<unknown> {
    const callback = read.callback as unknown as ClusterLockCallback<unknown>;
    const held = await this.#acquire(read);
    if (held === null) return callback(null);
    const lock = new RemoteLock(read.name, read.mode, held);
    return new Promise((resolve, reject) => {
      const lost = held.lostError;
      if (lost !== undefined) reject(reasonOf(lost, read.name));
      else held.onLost = (error) => reject(reasonOf(error, read.name));
      // A callback that throws rejects this promise.
      const call = (): unknown => callback(lock);
      new Promise((settle) => settle(read.deadlock ? callInside(held, call) : call())).then(
        (value) => held.release().then(() => resolve(value), reject),
        (reason: unknown) =>
          held.release().then(
            () => reject(reason),
            () => reject(reason),
          ),
      );
    });
  }

  acquire(
    name: string,
    options?: ClusterLockOptions & { ifAvailable?: false },
  ): Promise<ClusterHold>;
  acquire(name: string, options?: ClusterLockOptions): Promise<ClusterHold | null>;
  async acquire(...args: unknown[]): Promise<ClusterHold | null> {
    if (args.length === 0) throw new TypeError('acquire() takes a name');
    const read = readLockRequest([args[0], args[1], () => {}]);
    const held = await this.#acquire(read);
    return held && new RemoteHold(read.name, read.mode, held);
  }

  query(): Promise<ClusterLockSnapshot> {
    return this.#sessions.run((session) => session.engine.query());
  }

  async #acquire(read: ReadRequest): Promise<Held | null> {
    const { name, mode, ifAvailable, steal, signal, deadlock } = read;
    const how = { mode, permits: undefined, ifAvailable, steal, deadlock };
    const wanted = { kind: 'lock', name, ...how } as const;
    const held = await this.#sessions.wait((opened) => acquire(opened, wanted, read));
    if (held === null || !signal?.aborted) return held;
    // Aborted between the grant and the callback.
    await held.release().catch(() => {});
    throw signal.reason;
  }
}

class RemoteLock implements ClusterLock {
  readonly name: string;
  readonly mode: LockMode;
  readonly #held: Held;

  constructor(name: string, mode: LockMode, held: Held) {
    this.name = name;
    this.mode = mode;
    this.#held = held;
  }

  get token(): bigint {
    return this.#held.token;
  }

  get abandoned(): boolean | undefined {
    return this.#held.abandoned;
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  check(): void {
    this.#held.check();
  }
}

class RemoteHold extends RemoteLock implements ClusterHold {
  readonly #release: () => Promise<void>;

  constructor(name: string, mode: LockMode, held: Held) {
    super(name, mode, held);
    this.#release = () => held.release();
  }

  release(): Promise<void> {
    return this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#release();
  }
}
