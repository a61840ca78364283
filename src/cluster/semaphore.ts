// The semaphores of a cluster over an engine: a request that shares with `permits` - 1 others.
import { type AcquireOptions, readAcquire } from '../options.js';
import { type Held, acquire } from './acquisition.js';
import type { ClusterPermit, ClusterSemaphore } from './cluster.js';
import type { Sessions } from './sessions.js';

export class RemoteSemaphore implements ClusterSemaphore {
  readonly name: string;
  readonly permits: number;
  readonly #sessions: Sessions;

  constructor(sessions: Sessions, name: string, permits: number) {
    this.#sessions = sessions;
    this.name = name;
    this.permits = permits;
  }

  async acquire(options?: AcquireOptions): Promise<ClusterPermit> {
    const permit = await this.#acquire(readAcquire(options) ?? {}, false);
    return permit!;
  }

  tryAcquire(): Promise<ClusterPermit | null> {
    return this.#acquire({}, true);
  }

  async #acquire(wait: AcquireOptions, ifAvailable: boolean): Promise<ClusterPermit | null> {
    const { name, permits } = this;
    const wanted = {
      kind: 'semaphore',
      name,
      mode: 'shared',
      permits,
      ifAvailable,
      steal: false,
      deadlock: wait.deadlock ?? true,
    } as const;
    const held = await this.#sessions.wait((opened) => acquire(opened, wanted, wait));
    return held && new RemotePermit(held);
  }
}

class RemotePermit implements ClusterPermit {
  readonly #held: Held;

  constructor(held: Held) {
    this.#held = held;
  }

  get token(): bigint {
    return this.#held.token;
  }

  get signal(): AbortSignal {
    return this.#held.signal;
  }

  check(): void {
    this.#held.check();
  }

  release(): Promise<void> {
    return this.#held.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#held.release();
  }
}
