// The lock of a Condition: the caller's, or one that the condition has of its own.
import { CorruptError, HeldError, label } from '../errors.js';
import type { Native } from '../native/bindings.js';
import { kinds, slice_ms } from '../native/enums.js';
import { addon } from '../native/load.js';
import type { RLockOptions } from '../options.js';
import { setTimeout } from '../waiting/clock.js';
import { Lock } from './lock.js';
import { RLock } from './rlock.js';
import { ownLockName, unlinkIfThere } from './shared.js';

/** The condition that is opened. Its file says which lock it goes with. */
interface Opened {
  readonly name: string;
  readonly native: Native<'Condition'>;
}

export class ConditionLock {
  /** What users see as `condition.lock`: the lock that they gave, or a second object of our own. */
  readonly outer: Lock | RLock;
  /**
   * What the condition works with. It stays open as long as the condition, whatever users close.
   */
  readonly inner: Lock | RLock;
  readonly #wasGiven: boolean;

  private constructor(outer: Lock | RLock, inner: Lock | RLock, wasGiven: boolean) {
    this.outer = outer;
    this.inner = inner;
    this.#wasGiven = wasGiven;
  }

  /** For a condition over a lock of the caller's. */
  static given(lock: Lock | RLock): ConditionLock {
    return new ConditionLock(lock, lock.reopen(), true);
  }

  /** For a condition that was opened without a lock: the one that its file names. */
  static of(condition: Opened, options: RLockOptions): ConditionLock {
    const inner = open(condition, options);
    try {
      return new ConditionLock(inner.reopen(), inner, false);
    } catch (error) {
      inner.close();
      throw error;
    }
  }

  /**
   * @throws HeldError if this thread holds the lock, and acquired it through the condition: then
   * the condition cannot be closed either.
   */
  checkNotHeld(): void {
    for (const lock of this.#ours()) if (!lock.mayClose()) lock.close();
  }

  /** Closes what the condition opened, now or as soon as it is released. */
  close(): void {
    for (const lock of this.#ours()) closeOnceReleased(lock);
  }

  /** Takes the name of a lock of our own away, if it has one. */
  unlink(conditionName: string): void {
    const name = ownLockName(conditionName);
    if (this.inner.name === name) unlinkIfThere('RLock', name);
  }

  /** The objects that are ours to close. */
  #ours(): (Lock | RLock)[] {
    const ours = this.#wasGiven ? [this.inner] : [this.inner, this.outer];
    return ours.filter((lock) => lock.isOpen);
  }
}

function open({ name, native }: Opened, options: RLockOptions): Lock | RLock {
  const lockKind = addon.Condition.lockKind(native);
  const lockName = addon.Condition.lockName(native);
  const isOwn = lockName === ownLockName(name);
  // A lock of the condition's own is made if need be. So a kind that was read in a file must not
  // decide what is made.
  if (isOwn && lockKind !== kinds.RLock) {
    throw new CorruptError(`${label('Condition', name)}: the kind of its lock is wrong`, {
      kind: 'Condition',
      objectName: name,
    });
  }
  if (lockKind === kinds.Lock) return new Lock({ name: lockName, mustExist: true });
  return isOwn
    ? new RLock({ ...options, name: lockName, mustExist: false, exclusive: false })
    : new RLock({ name: lockName, mustExist: true, scope: options.scope });
}

/**
 * A wait that ended with ClosedError has acquired the lock again, through an object that is to be
 * closed. So that one is closed when its holder has released it.
 */
function closeOnceReleased(lock: Lock | RLock): void {
  try {
    lock.close();
  } catch (error) {
    if (!(error instanceof HeldError)) throw error;
    setTimeout(closeOnceReleased, slice_ms, lock).unref();
  }
}
