// A Cluster over an engine.
import { checkCount } from '../options.js';
import type {
  Cluster,
  ClusterInspection,
  ClusterLocks,
  ClusterQueue,
  ClusterSemaphore,
  EngineName,
} from './cluster.js';
import type { Engine } from './engine.js';
import { RemoteLocks } from './locks.js';
import { readName } from './names.js';
import type { ReadClusterOptions } from './options.js';
import { RemoteQueue } from './queue.js';
import { RemoteSemaphore } from './semaphore.js';
import { Sessions } from './sessions.js';

const mostPermits = 32_767;

/** What Cluster.semaphore() got. @throws TypeError, RangeError, QuotaExceededError */
function readSemaphore(name: unknown, permits: unknown): [string, number] {
  checkCount('permits', permits, 1, mostPermits);
  return [readName(name), permits as number];
}

/** Opens the first session, and resolves to the cluster. Rejects as Engine.open(). */
export async function connectTo(engine: Engine, options: ReadClusterOptions): Promise<Cluster> {
  const cluster = new RemoteCluster(engine, options);
  await cluster.open();
  return cluster;
}

class RemoteCluster implements Cluster {
  readonly engine: EngineName;
  readonly namespace: string;
  readonly locks: ClusterLocks;
  readonly closed: Promise<void>;
  readonly #sessions: Sessions;
  readonly #queues = new Map<string, RemoteQueue<unknown>>();
  #onClosed!: () => void;

  constructor(engine: Engine, options: ReadClusterOptions) {
    this.engine = engine.name;
    this.namespace = options.namespace;
    this.#sessions = new Sessions(engine, options);
    this.locks = new RemoteLocks(this.#sessions);
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
  }

  async open(): Promise<void> {
    await this.#sessions.run(async () => {});
  }

  semaphore(name: string, permits: number): ClusterSemaphore {
    return new RemoteSemaphore(this.#sessions, ...readSemaphore(name, permits));
  }

  queue<T = unknown>(name: string): ClusterQueue<T> {
    const read = readName(name);
    let queue = this.#queues.get(read);
    if (queue === undefined) {
      queue = new RemoteQueue(this.#sessions, read);
      this.#queues.set(read, queue);
    }
    return queue as unknown as ClusterQueue<T>;
  }

  /** Engines keep more than that for a while: the number of a name, a queue without jobs. */
  async inspect(): Promise<ClusterInspection> {
    const { locks, queues } = await this.#sessions.run((session) => session.engine.inspect());
    return {
      locks: locks.filter(({ holders, waiters }) => holders.length + waiters.length > 0),
      queues: queues.filter(({ waiting, taken }) => waiting + taken > 0),
    };
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    this.#onClosed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
