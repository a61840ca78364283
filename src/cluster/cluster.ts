// What a program sees of a cluster: the same on every engine.
import type { LockMode } from '../locks/lock.js';
import type { AcquireOptions, WaitOptions } from '../options.js';

/** The engines: shared memory of one host, PostgreSQL, Redis, etcd. */
export type EngineName = 'local' | 'postgres' | 'redis' | 'etcd';

/**
 * Locks, semaphores and job queues that an engine keeps for processes on many hosts.
 *
 * A process has a session in the engine, with a lease of `ttl` milliseconds that it renews. All
 * that the process holds belongs to its session. When the process dies, or does not renew in time,
 * the engine ends the session and gives what it held to others. A session that was lost is not
 * continued: what it held is lost, what waited is rejected, and the next call opens a new one.
 */
export interface Cluster extends AsyncDisposable {
  /** Which engine keeps the locks. */
  readonly engine: EngineName;
  /** Clusters of one namespace have the same locks, semaphores and queues. */
  readonly namespace: string;
  /** Named locks, as the Web Locks API has them. */
  readonly locks: ClusterLocks;
  /**
   * The semaphore of that name, 1 to 32767 permits. Sends nothing to the engine. All users of a
   * name must give the same number: acquire() rejects with IncompatibleError while another one is
   * in use.
   */
  semaphore(name: string, permits: number): ClusterSemaphore;
  /** The job queue of that name. Sends nothing to the engine. `T` is the type of its values. */
  queue<T = unknown>(name: string): ClusterQueue<T>;
  /**
   * All locks, semaphores and queues that are held, waited for or not empty, for tools: `holdfast
   * ls --url` shows it. Old when it arrives. May read far more than other commands do. Rejects as
   * ClusterLocks.query().
   */
  inspect(): Promise<ClusterInspection>;
  /** Resolves when close() has ended. It never rejects. */
  readonly closed: Promise<void>;
  /**
   * Ends the session: releases all that it holds, gives tasks back, rejects what waits with
   * ClosedError, and closes the connections. If the engine does not answer, the engine itself ends
   * the session when its lease has run out. Resolves in any case, within `commandTimeout`.
   */
  close(): Promise<void>;
}

/** What runs while a lock is held. It gets null if `ifAvailable` found the lock taken. */
export type ClusterLockCallback<T> = (lock: ClusterLock | null) => T | PromiseLike<T>;

/** What ClusterLocks.request() can be asked for. */
export interface ClusterLockOptions {
  /** `'exclusive'` (the default): nobody else has the lock. `'shared'`: others may share it. */
  mode?: LockMode | undefined;
  /** If true: if the lock is not to be had at once, the callback gets null. False by default. */
  ifAvailable?: boolean | undefined;
  /**
   * If true: takes the lock from all who hold it. Their promises reject with an AbortError, their
   * `lock.signal` is aborted, and their callbacks run on. False by default. Only for `'exclusive'`.
   */
  steal?: boolean | undefined;
  /** Its abort ends the wait, and the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds, 0 to 2147483647, after which the wait ends and the promise rejects with
   * TimeoutError. Without it the wait has no limit.
   */
  timeout?: number | undefined;
  /**
   * Only on PostgreSQL, others ignore it. If false: the wait takes no part in the search for
   * deadlocks, and the callback keeps nothing for it. True by default. A wait that begins inside
   * of a callback and is not awaited there needs it.
   */
  deadlock?: boolean | undefined;
}

/** Named locks of a cluster. Names are any strings of JavaScript, up to 32768 UTF-16 units. */
export interface ClusterLocks {
  /**
   * Waits until the lock is granted, then calls `callback` and holds the lock until the promise
   * that it returns has settled. Resolves to its result when the lock has been released. First
   * come, first served for each name.
   *
   * Every error is a rejection: those of LockManager.request(); LockLostError if the session is
   * lost while it waits or while `callback` runs (which runs on); EngineUnavailableError if the
   * engine does not answer within `commandTimeout`; ClosedError after close(); on PostgreSQL
   * DeadlockError, if some requests that were made inside of callbacks have waited for each other
   * for a second, and this one began last.
   */
  request<T>(name: string, callback: ClusterLockCallback<T>): Promise<Awaited<T>>;
  /** The same with options. Waits, and rejects, as without. */
  request<T>(
    name: string,
    options: ClusterLockOptions,
    callback: ClusterLockCallback<T>,
  ): Promise<Awaited<T>>;
  /**
   * As request(), without a callback: the lock is held until `release()`, or to the end of the
   * block: `await using lock = await cluster.locks.acquire('name')`. Resolves to null if
   * `ifAvailable` found the lock taken. A lock that is lost later says so by its `signal` and by
   * check().
   */
  acquire(
    name: string,
    options?: ClusterLockOptions & { ifAvailable?: false },
  ): Promise<ClusterHold>;
  /** The same with `ifAvailable`. It never waits, and rejects as request(). */
  acquire(name: string, options?: ClusterLockOptions): Promise<ClusterHold | null>;
  /** The requests of all processes now. Rejects as request(). */
  query(): Promise<ClusterLockSnapshot>;
}

/** What every hold has: of a lock, of a permit. */
export interface Fenced {
  /**
   * A fencing token: each grant of a name has a greater one than every grant before it. What is
   * guarded can refuse a writer whose token is not the greatest that it has seen. Only that is safe
   * against a process which was stopped for longer than its lease and goes on writing.
   */
  readonly token: bigint;
  /**
   * Is aborted when the hold is lost: the session ended, or the lock was stolen. Its reason is a
   * LockLostError, or a ClosedError after close(). It comes late in a process that was stopped:
   * check() does not.
   */
  readonly signal: AbortSignal;
  /**
   * Reads the clocks. Does not ask the engine and does not block.
   *
   * @throws LockLostError if the hold is lost, or may be lost by now because nothing was heard of
   * the engine for nine tenths of the lease. Throws after a release, too.
   */
  check(): void;
}

/** A lock of a cluster that is held. */
export interface ClusterLock extends Fenced {
  /** The name that was asked for. */
  readonly name: string;
  /** How it is held. */
  readonly mode: LockMode;
  /**
   * True if the last exclusive holder lost it with its session: check what the lock guards.
   * Undefined on an engine that does not know (etcd).
   */
  readonly abandoned: boolean | undefined;
}

/** A lock that ClusterLocks.acquire() has acquired, until its release(). */
export interface ClusterHold extends ClusterLock, AsyncDisposable {
  /**
   * Releases the lock. A second call does nothing. Resolves when the engine has done it. Rejects as
   * request() would have, if the lock had been lost or stolen before.
   */
  release(): Promise<void>;
}

/** A request, as ClusterLocks.query() shows it. */
export interface ClusterLockInfo {
  /** The name of the lock. */
  readonly name: string;
  /** How it is held, or is to be held. */
  readonly mode: LockMode;
  /** The session that made the request. No two sessions ever have the same. */
  readonly clientId: string;
}

/** What ClusterLocks.query() resolves to. */
export interface ClusterLockSnapshot {
  /** The requests that hold their lock. */
  readonly held: ClusterLockInfo[];
  /** The requests that wait; those of one name in the order in which they will have it. */
  readonly pending: ClusterLockInfo[];
}

/** Who holds or waits, as Cluster.inspect() shows it. */
export interface ClusterParty {
  /** The session that made the request. No two sessions ever have the same. */
  readonly clientId: string;
  /** Its host; empty if the engine does not know. */
  readonly host: string;
  /** Its process id on that host; 0 if the engine does not know. */
  readonly pid: number;
  /** The thread: 0 for the main thread of the process, else the worker's `threadId`. */
  readonly threadId: number;
  /** The name of its Process object, or `MainProcess`; empty if the engine does not know. */
  readonly processName: string;
  /** What it has, or waits for. */
  readonly how: 'exclusive' | 'shared' | 'permit';
  /** For how many milliseconds, by the clock of the engine. null if that is not known. */
  readonly since: number | null;
}

/** A lock or a semaphore, as Cluster.inspect() shows it. */
export interface ClusterLockState {
  /** Which of the two. */
  readonly kind: 'lock' | 'semaphore';
  /** Its name. One of more than 512 characters may be cut. */
  readonly name: string;
  /** How many permits a semaphore has; of a lock, and if the engine does not know, null. */
  readonly permits: number | null;
  /** The token of the last grant; null if the engine does not know. */
  readonly token: bigint | null;
  /** Who holds it. */
  readonly holders: readonly ClusterParty[];
  /** Who waits for it, in order. */
  readonly waiters: readonly ClusterParty[];
}

/** A job queue, as Cluster.inspect() shows it. */
export interface ClusterQueueState extends ClusterQueueCount {
  /** Its name. One of more than 512 characters may be cut. */
  readonly name: string;
}

/** What Cluster.inspect() resolves to. */
export interface ClusterInspection {
  /** Locks and semaphores that are held or waited for. */
  readonly locks: readonly ClusterLockState[];
  /** Queues that have jobs. */
  readonly queues: readonly ClusterQueueState[];
}

/** A semaphore of a cluster: so many may hold a permit at a time. First come, first served. */
export interface ClusterSemaphore {
  /** Its name. */
  readonly name: string;
  /** How many permits there are. */
  readonly permits: number;
  /**
   * Waits for a permit. Rejects with TimeoutError, `signal.reason`, ClosedError, LockLostError,
   * EngineUnavailableError, or IncompatibleError if others use the name with another number.
   */
  acquire(options?: AcquireOptions): Promise<ClusterPermit>;
  /** Takes a permit if one is free and nobody waits; else null. Rejects as acquire(). */
  tryAcquire(): Promise<ClusterPermit | null>;
}

/** A permit of a ClusterSemaphore. When its holder dies it comes back. */
export interface ClusterPermit extends Fenced, AsyncDisposable {
  /** Gives it back. A second call does nothing. Resolves and rejects as ClusterHold.release(). */
  release(): Promise<void>;
}

/** How many tasks to take, and how long to wait for the first. */
export interface ClusterTakeOptions extends WaitOptions {
  /** At most so many, 1 to 1000. take() then resolves to an array of one task at least. */
  max?: number | undefined;
}

/** What ClusterQueue.count() resolves to. */
export interface ClusterQueueCount {
  /** Jobs that nobody works on. */
  readonly waiting: number;
  /** Jobs that were taken and are not done. */
  readonly taken: number;
}

/**
 * A job queue of a cluster. A job is a value that JSON can carry. It stays in the queue until its
 * task is done; when the session of the taker ends before that, it is handed out again. So each job
 * is done at least once.
 */
export interface ClusterQueue<T = unknown> {
  /** Its name. */
  readonly name: string;
  /**
   * Puts a job at the end. Resolves when the engine has it. Rejects with EncodeError for a value
   * that JSON cannot carry; TypeError for options, of which it has none (no `delay`, no
   * `priority`); EngineUnavailableError: then it may or may not have been put.
   */
  put(value: T): Promise<void>;
  /** Puts all of them, in order, or none. Rejects as put(). At most 10000 at a time. */
  putMany(values: readonly T[]): Promise<void>;
  /**
   * Takes the first job that nobody works on, waiting for one if need be. Rejects with
   * TimeoutError, `signal.reason`, ClosedError, LockLostError, EngineUnavailableError.
   */
  take(options?: WaitOptions & { max?: undefined }): Promise<ClusterTask<T>>;
  /** Takes up to `max` jobs, waiting for the first. Rejects as take() for one. */
  take(options: ClusterTakeOptions & { max: number }): Promise<ClusterTask<T>[]>;
  /** How many jobs there are. It is old when it arrives. */
  count(): Promise<ClusterQueueCount>;
}

/** A job that take() has handed out. */
export interface ClusterTask<T = unknown> extends AsyncDisposable {
  /** The job. */
  readonly value: T;
  /** How often it has been handed out, 1 the first time. */
  readonly deliveries: number;
  /** A fencing token: greater than that of every earlier delivery of this job. */
  readonly token: bigint;
  /** Is aborted when the session is lost, and with it the task. Its reason is a LockLostError. */
  readonly signal: AbortSignal;
  /** As Fenced.check(). */
  check(): void;
  /**
   * The job is done and leaves the queue. Resolves when the engine has heard it. A second call does
   * nothing, and so does a call after retry(). Rejects with LockLostError if the session was lost:
   * the job is handed out again.
   */
  done(): Promise<void>;
  /** Gives the job back, so that anybody may take it. Rejects as done(). */
  retry(): Promise<void>;
}
