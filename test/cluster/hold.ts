// Holding a lock of a cluster until the test says otherwise.
import type { Cluster, ClusterLock, ClusterLockOptions } from 'holdfast';
import { within } from '../support/index.js';

/** A promise that the test settles. */
export class Gate<T = void> {
  readonly passed: Promise<T>;
  pass!: (value: T) => void;
  constructor() {
    this.passed = new Promise((resolve) => (this.pass = resolve));
  }
}

/** A request whose callback ends when the test says so. */
export class Holding {
  readonly #end = new Gate();
  readonly #granted: Promise<ClusterLock | null>;
  /** What request() returned. */
  readonly result: Promise<unknown>;

  constructor(cluster: Cluster, name: string, options: ClusterLockOptions = {}) {
    let granted!: (lock: ClusterLock | null) => void;
    let fail!: (reason: unknown) => void;
    this.#granted = new Promise((resolve, reject) => ([granted, fail] = [resolve, reject]));
    this.result = cluster.locks.request(name, options, (lock) => {
      granted(lock);
      return this.#end.passed;
    });
    this.result.catch(fail);
    this.#granted.catch(() => {});
  }

  /** Resolves to what the callback got. */
  get granted(): Promise<ClusterLock | null> {
    return within(this.#granted, 'a grant');
  }

  /** Ends the callback, and waits until the lock is released. */
  async release(): Promise<void> {
    this.#end.pass();
    await within(this.result, 'a release');
  }

  /** Ends the callback of a lock that was lost. */
  end(): void {
    this.#end.pass();
  }
}

/** A request that has been granted. */
export async function hold(
  cluster: Cluster,
  name: string,
  options?: ClusterLockOptions,
): Promise<Holding> {
  const holding = new Holding(cluster, name, options);
  await holding.granted;
  return holding;
}

/** How many requests of the name hold and wait. */
export async function counts(cluster: Cluster, name: string): Promise<[number, number]> {
  const { held, pending } = await cluster.locks.query();
  const of = (all: typeof held): number => all.filter((one) => one.name === name).length;
  return [of(held), of(pending)];
}

/** What the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const rejected = promise.then(
    () => Promise.reject(new Error('it did not reject')),
    (reason: unknown) => reason,
  );
  return within(rejected, 'a rejection');
}
