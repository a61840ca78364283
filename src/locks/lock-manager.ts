import { inspect } from 'node:util';
import { brand } from '../brand.js';
import { suspicionsOf } from '../deadlocks/show.js';
import type { DeadlockedWait } from '../errors.js';
import { mostRequests, slice_ms } from '../native/enums.js';
import {
  type OpenOptions,
  checkCount,
  checkName,
  lockManagerOptions,
  readOpen,
  readOptions,
} from '../options.js';
import type { Handle } from '../objects/shared.js';
import { type Inspecting, inspectAs, refusal, uncloneable } from '../uncloneable.js';
import { setTimeout } from '../waiting/clock.js';
import { Acquired, type AcquiredLock } from './acquired-lock.js';
import { type LockCallback, type LockOptions, readRequest } from './arguments.js';
import type { LockMode, WebLock } from './lock.js';
import { requestSync } from './request-sync.js';
import { Request } from './request.js';
import { Table } from './table.js';

/** How to open a LockManager. */
export interface LockManagerOptions {
  /**
   * Managers of one namespace have the same locks, in every process of the user. 1 to 4096 bytes of
   * UTF-8 without NUL; `'default'` is the default.
   */
  namespace?: string | undefined;
  /**
   * How many requests, held and waiting ones, the namespace has room for: 1 to 1048576, 131072 by
   * default. All managers of a namespace must have the same number, or leave it out.
   */
  maxRequests?: number | undefined;
  /** As for every object: fail with ExistsError if the namespace is open already. */
  exclusive?: boolean | undefined;
  /** As for every object: fail with NotFoundError if nobody has the namespace open. */
  mustExist?: boolean | undefined;
  /** As for every object: keep the table, and with it the news of dead holders, until unlink(). */
  persistent?: boolean | undefined;
}

/** A request, as LockManager.query() shows it. */
export interface LockInfo {
  /** The name of the lock. */
  readonly name: string;
  /** How it is held, or is to be held. */
  readonly mode: LockMode;
  /** Which thread of which process made the request. No two threads ever have the same. */
  readonly clientId: string;
  /** Not in the standard. The process id. */
  readonly pid: number;
  /** Not in the standard. 0 for the main thread of the process, else the worker's `threadId`. */
  readonly threadId: number;
  /** Not in the standard. The name of its Process object, or `MainProcess`. */
  readonly processName: string;
}

/** What LockManager.query() resolves to. */
export interface LockManagerSnapshot {
  /** The requests that hold their lock. */
  readonly held: LockInfo[];
  /** The requests that wait; those of one name in the order in which they will have it. */
  readonly pending: LockInfo[];
}

/** What `inspect()` shows of a LockManager: a snapshot, which may be old when it is read. */
export interface LockManagerState {
  /** The class of the object. */
  readonly kind: 'LockManager';
  /** The namespace. */
  readonly name: string;
  /** How many requests it has room for. */
  readonly maxRequests: number;
  /** Requests that were granted since the table was made. */
  readonly grants: number;
  /** Requests that had to wait. */
  readonly contentions: number;
  /** Exclusive holders that died holding, as far as somebody has come across them. */
  readonly abandonments: number;
  /** Holds that were stolen. */
  readonly steals: number;
  /**
   * Possible deadlocks in which a request takes part, each as the `cycle` of a DeadlockError. It
   * is not certain, because a guard in a variable may be released at any time. Only waits of more
   * than a second are known.
   */
  readonly suspicions: readonly (readonly DeadlockedWait[])[];
}

/** @internal For `locks`: opens the table at the first use. */
export const atFirstUse = Symbol('at first use');

/** The table of a manager. Throws for anything else. */
let tableOf: (manager: LockManager) => Table;

const defaultNamespace = 'default';
const defaultRequests = 131_072;

/**
 * Named locks, as the Web Locks API of the W3C has them in browsers (`navigator.locks`), for all
 * processes and worker threads of the user. One table has all locks of a namespace, so a lock costs
 * an entry and not a file: take one for each user id. Python has nothing like it.
 *
 * First come, first served for each name. If the holder dies, even by SIGKILL, the next request is
 * granted at once and its lock says `abandoned`. If a process dies inside the table, the others
 * make its index anew.
 */
export class LockManager {
  static {
    brand(this, 'LockManager');
  }
  /** @internal */
  readonly [uncloneable] = refusal(
    'a LockManager: send its toJSON(), and call attach() on what arrives',
  );
  readonly #namespace: string;
  readonly #open: () => Table;
  #table: Table | undefined;

  /**
   * Opens the table of a namespace, or makes it. Blocks only while another process has the
   * directory locked.
   *
   * @throws as Lock does; IncompatibleError also if the namespace has another `maxRequests`.
   */
  constructor(options: LockManagerOptions = {}) {
    const isLazy = (options as object) === (atFirstUse as unknown);
    const read = readManager(isLazy ? {} : options);
    this.#namespace = read.name!;
    this.#open = () =>
      new Table(read, { initial: read.maxRequests, defaultInitial: defaultRequests });
    if (!isLazy) this.#table = this.#open();
  }

  /**
   * Waits until the lock is granted, then calls `callback` and holds the lock until the promise
   * that it returns has settled. Resolves to its result. Does not block the event loop.
   *
   * Every error is a rejection: what `callback` throws; `signal.reason` after an abort while it
   * waits; AbortError with the code `ERR_HOLDFAST_STOLEN` when the lock is stolen; TimeoutError;
   * TypeError, RangeError and NotSupportedError for wrong arguments; QuotaExceededError if the
   * table is full; ClosedError after close().
   */
  request<T>(name: string, callback: LockCallback<T>): Promise<Awaited<T>>;
  /** The same with options. Waits, and rejects, as without. */
  request<T>(name: string, options: LockOptions, callback: LockCallback<T>): Promise<Awaited<T>>;
  request(name: unknown, callback: unknown, ...more: unknown[]): Promise<unknown> {
    const args = arguments.length < 2 ? [...arguments] : [name, callback, ...more];
    return new Promise((resolve, reject) => {
      const table = tableOf(this);
      new Request(table, readRequest(args, false), resolve, reject);
    });
  }

  /**
   * The requests of all processes now. The table is looked through, and requests of the dead are
   * taken out first. Does not block the event loop. Rejects with ClosedError after close().
   */
  async query(): Promise<LockManagerSnapshot> {
    const table = tableOf(this);
    let all = table.query();
    while (all === undefined) {
      // Somebody was stopped in the table.
      await new Promise((resolve) => setTimeout(resolve, slice_ms));
      all = table.query();
    }
    const held: LockInfo[] = [];
    const pending: LockInfo[] = [];
    const { names, rows, clients } = all;
    for (let i = 0; i < names.length; i++) {
      const { id, agent } = clients[rows[3 * i]!]!;
      if (agent === null) continue;
      (rows[3 * i + 2] === 1 ? held : pending).push({
        name: names[i]!,
        mode: rows[3 * i + 1] === 1 ? 'exclusive' : 'shared',
        clientId: id,
        pid: agent.pid,
        threadId: agent.threadId,
        processName: agent.processName,
      });
    }
    return { held, pending };
  }

  /**
   * Not in the standard. As request(), blocking this thread; `callback` must not return a promise.
   * Returns its result.
   *
   * @throws as request() rejects; DeadlockError if a request of this thread is in the way and no
   * `timeout` was given, because the event loop stands still meanwhile.
   */
  requestSync<T>(name: string, callback: (lock: WebLock | null) => T): T;
  /** The same with options. Blocks, and throws, as without. */
  requestSync<T>(
    name: string,
    options: Omit<LockOptions, 'signal'>,
    callback: (lock: WebLock | null) => T,
  ): T;
  requestSync(...args: unknown[]): unknown {
    return requestSync(tableOf(this), readRequest(args, true));
  }

  /**
   * Not in the standard. As request(), without a callback: the lock is held until `release()`, or
   * to the end of the block: `await using lock = await locks.acquire('name')`. Resolves to null if
   * `ifAvailable` found the lock taken. If the lock is stolen, `lock.stolen` becomes true; if that
   * was before this thread had heard of its grant, the promise rejects as that of request().
   */
  acquire(name: string, options?: LockOptions & { ifAvailable?: false }): Promise<AcquiredLock>;
  /** The same with `ifAvailable`. It never waits, and rejects as request(). */
  acquire(name: string, options?: LockOptions): Promise<AcquiredLock | null>;
  acquire(...args: [name?: string, options?: LockOptions]): Promise<AcquiredLock | null> {
    return new Promise((resolve, reject) => {
      if (args.length === 0) throw new TypeError('acquire() takes a name');
      const hold = (lock: WebLock | null): Promise<void> | undefined => {
        if (lock === null) {
          resolve(null);
          return undefined;
        }
        return new Promise((end) => {
          const release = (): void => {
            request.release();
            end();
          };
          resolve(new Acquired(lock, release));
        });
      };
      const read = readRequest([args[0], args[1], hold], false);
      const request = new Request(tableOf(this), read, () => {}, reject);
    });
  }

  /** Not in the standard. The namespace. */
  get namespace(): string {
    return tableOf(this).name;
  }

  /** Not in the standard. Counters. Does not block. */
  inspect(): LockManagerState {
    const table = tableOf(this);
    const suspicions = suspicionsOf(table.tag);
    return { kind: 'LockManager', name: table.name, ...table.inspect(), suspicions };
  }

  /** The handle, which attach() turns into a manager of the same namespace in another process. */
  toJSON(): Handle<'LockManager'> {
    return tableOf(this).toJSON();
  }

  /** @internal Opens no table. */
  [inspect.custom](...how: Inspecting): string {
    const shown = #namespace in this ? { namespace: this.#namespace } : {};
    return inspectAs('LockManager', shown, ...how);
  }

  /**
   * Not in the standard. Closes the manager. What waits through it rejects with ClosedError. The
   * table is removed with its last user in any process, unless it is persistent.
   *
   * @throws HeldError if this thread holds a lock that was requested through it.
   */
  close(): void {
    tableOf(this).close();
  }

  /** The same as close(), for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Not in the standard. Takes the namespace's name away at once, as Lock.unlink() does. */
  unlink(): void {
    tableOf(this).unlink();
  }

  static {
    // As WebIDL has it: methods can be seen, and so can what kind of object this is.
    for (const key of ['request', 'query'] as const) {
      Object.defineProperty(this.prototype, key, { enumerable: true });
    }
    Object.defineProperty(this.prototype, Symbol.toStringTag, {
      value: 'LockManager',
      configurable: true,
    });
    tableOf = (manager) => {
      if (!(#table in manager)) throw new TypeError('Illegal invocation');
      return (manager.#table ??= manager.#open());
    };
  }
}

function readManager(options: LockManagerOptions): OpenOptions & { maxRequests?: number } {
  const read = readOptions(options, lockManagerOptions) as LockManagerOptions;
  const { namespace: name = defaultNamespace, maxRequests, ...open } = read;
  checkName(name, 'namespace');
  if (maxRequests !== undefined) checkCount('maxRequests', maxRequests, 1, mostRequests);
  return { ...readOpen({ name, ...open }), ...(maxRequests && { maxRequests }) };
}

/** The locks of the default namespace. The table is opened at the first use. */
export const locks: LockManager = new LockManager(atFirstUse as unknown as LockManagerOptions);
