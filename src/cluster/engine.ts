// What an engine must do. src/cluster/remote.ts makes a Cluster of it: callbacks, aborts, timeouts,
// the rules of Web Locks and the clocks are there, once for all engines.
import type { LockMode } from '../locks/lock.js';
import type {
  ClusterInspection,
  ClusterLockSnapshot,
  ClusterQueueCount,
  EngineName,
} from './cluster.js';
import type { LostReason } from './errors.js';
import type { Instant } from './lease.js';

/** An engine to which the options are known, and that opens sessions. */
export interface Engine {
  readonly name: EngineName;
  /**
   * Opens a session: connects, checks the engine, and has the first lease granted. `news` may be
   * called from then on. Rejects within `connectTimeout` and leaves no connection behind:
   * EngineUnavailableError, UnsupportedEngineError.
   */
  open(news: SessionNews): Promise<EngineSession>;
}

/**
 * What a session tells. None of these throws, nor runs code of the user. They may be called before
 * the promise of the command that they are about has settled, and more than once.
 */
export interface SessionNews {
  /** The lease was renewed by a command that was sent at `sent`: read before it was sent. */
  renewed(sent: Instant): void;
  /** A request that waited has its lock. */
  granted(request: number, grant: Grant): void;
  /** A request that held has lost its lock to a thief. */
  stolen(request: number): void;
  /** The wait of a request has ended, in the engine too, and it has nothing. */
  failed(request: number, error: Error): void;
  /** In a queue there may be a job. To a session whose last take() found none. */
  jobs(queue: string): void;
  /**
   * The session is over. All that it had is lost. Calls destroy(), so the engine need not. For a
   * session that it does not know any more an engine says `'engine'`. If the lease was over by the
   * clocks, the users hear `'lease'`.
   */
  lost(reason: LostReason, cause?: unknown): void;
}

/** What is asked for. `request` is a number that no other request of the session has. */
export interface Asked {
  readonly request: number;
  /** Locks and semaphores of one name are different things. */
  readonly kind: 'lock' | 'semaphore';
  /** A name as the user gave it. keyOf() and textOf() make it fit for an engine. */
  readonly name: string;
  /** Of a semaphore always `'shared'`. */
  readonly mode: LockMode;
  /** How many may share it: of a semaphore its permits, of a lock undefined. */
  readonly permits: number | undefined;
  /** If it is not to be had at once, it is not queued. */
  readonly ifAvailable: boolean;
  /** Takes it from all who hold it, and goes before all who wait. */
  readonly steal: boolean;
  /**
   * The requests of the session that hold until this one has ended, because it was made inside of
   * their callbacks. Undefined: the wait takes no part in deadlocks.
   */
  readonly inside: readonly number[] | undefined;
}

export interface Grant {
  /** Greater than that of every earlier grant of this kind and name. */
  readonly token: bigint;
  /** The last exclusive holder lost it with its session. Undefined if the engine does not know. */
  readonly abandoned: boolean | undefined;
}

/** What the engine says of a request: it has its lock, it waits, or ifAvailable found it taken. */
export type Answer = Grant | 'waiting' | 'unavailable';

/** A job that was taken. */
export interface Taken {
  /** For settle(). */
  readonly id: string;
  /** JSON. */
  readonly value: string;
  readonly deliveries: number;
  readonly token: bigint;
}

/**
 * An open session. Every command settles within `commandTimeout`, from when the one before it was
 * answered. When one does not, the session destroys its connections, and the command and those
 * behind it reject with EngineUnavailableError. If the session is over, commands reject with
 * anything: the caller has heard of it by `lost`.
 */
export interface EngineSession {
  /** True: it wants to know `Asked.inside`, and ends one wait of each deadlock by `news.failed`. */
  readonly findsDeadlocks?: boolean;
  /**
   * Enters a request. The engine decides at once: order, grant, theft. Requests are entered in the
   * order of the calls. Rejects with IncompatibleError for another number of permits.
   */
  ask(asked: Asked): Promise<Answer>;
  /**
   * Ends a request, whether it waits or holds, and hands the lock over to the next. Is called after
   * the promise of ask() has settled. Resolves to true if it held.
   */
  end(asked: Asked): Promise<boolean>;
  /** Names as the user gave them: nameOf(). Without requests of sessions that are over. */
  query(): Promise<ClusterLockSnapshot>;
  /** All that is there, or more, for tools. It may read more than any other command. */
  inspect(): Promise<ClusterInspection>;
  /** Puts all or none. */
  put(queue: string, values: readonly string[]): Promise<void>;
  /**
   * Takes what is there, `max` at most. If that is nothing, `news.jobs` tells when to try again.
   */
  take(queue: string, max: number): Promise<Taken[]>;
  /** Nobody in this process waits for a job of the queue any more, after `take` found none. */
  stopWaiting(queue: string): void;
  /**
   * Ends tasks: done, or given back. Resolves to how many of them the session still had. Many calls
   * of Task.done() arrive here as one.
   */
  settle(queue: string, done: readonly string[], retry: readonly string[]): Promise<number>;
  count(queue: string): Promise<ClusterQueueCount>;
  /** Ends the session in the engine and closes the connections. Never rejects. */
  close(): Promise<void>;
  /** Cuts the connections at once, without a word to the engine. */
  destroy(): void;
}
