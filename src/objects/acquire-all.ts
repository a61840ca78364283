// Several locks at once.
//
// Two callers that acquire the same locks in different orders may each hold what the other waits
// for. So all callers of acquireAll() acquire in one order: by kind, then by name.
import type { HeldHere } from '../holds/context.js';
import { type Guard, HeldGuard, heldBy } from '../holds/guard.js';
import { type GuardGroup, HeldGroup, releaseAll } from '../holds/guard-group.js';
import {
  type AcquireOptions,
  type SyncAcquireOptions,
  readAcquire,
  readOptions,
  readSyncAcquire,
} from '../options.js';
import { TimeoutError, label } from '../errors.js';
import { Deadline, type StepOptions } from '../waiting/deadline.js';
import { timedOut } from '../waiting/waiter.js';
import { BoundedSemaphore } from './bounded-semaphore.js';
import { Lock } from './lock.js';
import { ReadWriteLock } from './read-write-lock.js';
import { RLock } from './rlock.js';
import { Semaphore } from './semaphore.js';

/**
 * What acquireAll() takes: a lock, of which it acquires the lock or one permit, or a ReadWriteLock
 * with the mode in which it is to be held. Without a mode it is held exclusively.
 */
export type Acquirable =
  | Lock
  | RLock
  | Semaphore
  | BoundedSemaphore
  | ReadWriteLock
  | { readonly lock: ReadWriteLock; readonly mode: 'shared' | 'exclusive' };

/** One lock in its three forms of acquisition. */
interface Member {
  readonly lock: Lock | RLock | Semaphore | BoundedSemaphore | ReadWriteLock;
  /** `options` have been read. */
  acquire(options: StepOptions): Guard | Promise<Guard>;
  acquireSync(options: SyncAcquireOptions): Guard;
  tryAcquire(): Guard | null;
  readonly isShared?: boolean;
}

/**
 * Acquires several locks, all or none, and resolves to one guard for all of them. Of a semaphore it
 * takes one permit. Callers that acquire the same locks never wait for each other in a circle,
 * because all acquire them in one order, whatever the order of `locks` is. While it waits for one
 * lock, it holds those before it in that order. Never blocks the event loop.
 *
 * A caller that holds one of these locks, or a lock that another caller needs as well, can still
 * wait for ever: acquire all that you need in one call. The locks that it has acquired so far count
 * for a deadlock, because it keeps them until it has the rest or fails.
 *
 * Rejects as acquire() of the lock that it waits for: with TimeoutError after `timeout`, which is
 * that of the whole wait, with `signal.reason`, ClosedError or DeadlockError. Then it holds none of
 * them. Rejects with TypeError or RangeError, before anything is acquired, for what is no lock, and
 * if one lock is named twice.
 *
 * If this process is killed, its locks are free as after any other acquisition.
 */
export async function acquireAll(
  locks: readonly Acquirable[],
  options?: AcquireOptions,
): Promise<GuardGroup> {
  const members = readMembers(locks);
  options = readAcquire(options);
  const deadline = new Deadline(options);
  const held = new Map<Member, Guard>();
  const gathered = () => heldSoFar(held);
  try {
    for (const member of inOrder(members)) {
      options?.signal?.throwIfAborted();
      held.set(member, await member.acquire(deadline.step(0, gathered)));
    }
  } catch (error) {
    throw none(held, error, options?.timeout);
  }
  return groupOf(members, held);
}

/**
 * The same, blocking this thread.
 *
 * @throws as acquireAll() rejects.
 */
export function acquireAllSync(
  locks: readonly Acquirable[],
  options?: SyncAcquireOptions,
): GuardGroup {
  const members = readMembers(locks);
  options = readSyncAcquire(options);
  const deadline = new Deadline(options);
  const held = new Map<Member, Guard>();
  try {
    for (const member of inOrder(members)) {
      const { timeout, deadlock } = deadline.step();
      held.set(member, member.acquireSync({ timeout, deadlock }));
    }
  } catch (error) {
    throw none(held, error, options?.timeout);
  }
  return groupOf(members, held);
}

/**
 * Acquires all of them if each is free now; returns null if one is not, and then holds none. Does
 * not wait.
 *
 * @throws TypeError or RangeError as acquireAll() rejects; ClosedError.
 */
export function tryAcquireAll(locks: readonly Acquirable[]): GuardGroup | null {
  const members = readMembers(locks);
  const held = new Map<Member, Guard>();
  try {
    for (const member of inOrder(members)) {
      const guard = member.tryAcquire();
      if (guard === null) {
        releaseAll([...held.values()]);
        return null;
      }
      held.set(member, guard);
    }
  } catch (error) {
    throw none(held, error);
  }
  return groupOf(members, held);
}

/** Nobody knows who holds a permit of a Semaphore. */
function heldSoFar(held: ReadonlyMap<Member, Guard>): HeldHere[] {
  const list: HeldHere[] = [];
  for (const [{ isShared }, guard] of held) {
    if (guard instanceof HeldGuard) list.push(heldBy(guard, isShared));
  }
  return list;
}

function groupOf(members: readonly Member[], held: Map<Member, Guard>): GuardGroup {
  return new HeldGroup(
    members.map((member) => held.get(member)!),
    [...held.values()],
  );
}

/** Releases what is held, and returns the error with which the acquisition ends. */
function none(held: Map<Member, Guard>, error: unknown, timeout?: number): unknown {
  releaseAll([...held.values()]);
  if (!(error instanceof TimeoutError) || timeout === undefined) return error;
  // It names what was left of the timeout.
  const { kind = '', objectName = '' } = error;
  return timedOut({ kind, name: objectName, isOpen: true }, timeout);
}

// ---------------------------------------------------------------- what was given

function readMembers(locks: readonly Acquirable[]): Member[] {
  if (!Array.isArray(locks)) throw new TypeError('locks must be an array');
  const members = locks.map(memberOf);
  const seen = new Set<string>();
  for (const { lock } of members) {
    void lock.native; // closed?
    const key = keyOf(lock);
    if (seen.has(key)) throw new RangeError(`${label(lock.kind, lock.name)} is named twice`);
    seen.add(key);
  }
  return members;
}

function memberOf(given: unknown, index: number): Member {
  if (given instanceof Lock || given instanceof RLock || given instanceof BoundedSemaphore) {
    const lock: Lock | RLock | BoundedSemaphore = given;
    return {
      lock,
      acquire: (options) => lock.takeHold(options),
      acquireSync: (options) => lock.acquireSync(options),
      tryAcquire: () => lock.tryAcquire(),
    };
  }
  if (given instanceof Semaphore) return permitOf(given);
  if (given instanceof ReadWriteLock) return exclusive(given);
  if (typeof given === 'object' && given !== null && 'lock' in given) {
    const { lock, mode } = readOptions(given, ['lock', 'mode']);
    if (lock instanceof ReadWriteLock && mode === 'shared') return shared(lock);
    if (lock instanceof ReadWriteLock && mode === 'exclusive') return exclusive(lock);
  }
  throw new TypeError(
    `locks[${index}] must be a Lock, RLock, Semaphore, BoundedSemaphore or ReadWriteLock, ` +
      "or { lock, mode } with a ReadWriteLock and 'shared' or 'exclusive'",
  );
}

/** Nobody knows who holds a permit of a Semaphore, so its waits have no option `deadlock`. */
function permitOf(lock: Semaphore): Member {
  return {
    lock,
    acquire: async ({ timeout, signal }) => {
      await lock.acquire({ timeout, signal });
      return new PermitGuard(lock);
    },
    acquireSync({ timeout }) {
      lock.acquireSync({ timeout });
      return new PermitGuard(lock);
    },
    tryAcquire: () => (lock.tryAcquire() ? new PermitGuard(lock) : null),
  };
}

function exclusive(lock: ReadWriteLock): Member {
  return {
    lock,
    acquire: (options) => lock.takeExclusive(options),
    acquireSync: (options) => lock.acquireExclusiveSync(options),
    tryAcquire: () => lock.tryAcquireExclusive(),
  };
}

function shared(lock: ReadWriteLock): Member {
  return {
    lock,
    acquire: (options) => lock.takeShared(options),
    acquireSync: (options) => lock.acquireSharedSync(options),
    tryAcquire: () => lock.tryAcquireShared(),
    isShared: true,
  };
}

/** A permit of a Semaphore has no owner, so it has no guard of its own. */
class PermitGuard implements Guard {
  readonly abandoned = false;
  readonly compromised = false;
  #semaphore: Semaphore | undefined;

  constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  release(): void {
    const semaphore = this.#semaphore;
    this.#semaphore = undefined;
    semaphore?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** The order is the same in every process. */
function inOrder(members: readonly Member[]): Member[] {
  return members.toSorted((a, b) => (keyOf(a.lock) < keyOf(b.lock) ? -1 : 1));
}

function keyOf({ kind, name }: Member['lock']): string {
  return `${kind} ${name}`;
}
