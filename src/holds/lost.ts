// Guards that were garbage-collected while they held: nobody can release them any more.
//
// To register each guard with the garbage collector would cost several times what an acquisition
// does. So a guard is registered only if it still holds at the next slice (held-look.ts). Until
// then a reference keeps it: from what it holds to the guard that was made last, and from each
// guard to the one before that still held.
import { once } from '../native/once.js';

/** A guard, as this module sees it. */
export interface LosableGuard {
  readonly isHeld: boolean;
  /** The guard before it for the same thing, if that held when this one was made. */
  readonly previous: LosableGuard | undefined;
  /** What is to be known of it when it is gone. The record must not lead to the guard. */
  makeRecord(): GuardRecord;
  forgetPrevious(): void;
}

export interface GuardRecord {
  /** In words, such as `Lock "name"`. */
  readonly what: string;
  /** Where it was acquired, if that is to be told. */
  readonly stack: string | undefined;
  /** True after its release. */
  isOver: boolean;
  /**
   * Does this thread still hold it? A release by name leaves the guard unreleased. Throws if the
   * object was closed, which is possible only if this thread does not hold it.
   */
  isHeld(): boolean;
  /** Tells those who listen to the acquisition. */
  lost(): void;
}

/** What is held, with the guard that was made last. */
export interface LastGuard {
  last: LosableGuard | undefined;
}

/** With HOLDFAST_DEBUG, or --trace-warnings of Node, a lost guard is a warning with a stack. */
export const tellsLostGuards: boolean =
  Boolean(process.env['HOLDFAST_DEBUG']) ||
  [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].includes(
    '--trace-warnings',
  );

const lost = once('lost guards', () => ({ count: 0 }));
const fresh: LastGuard[] = [];
/** A thread that is blocked for long has no slices, and may use any number of locks meanwhile. */
const freshMax = 64;
const registry = new FinalizationRegistry(onCollected);

/**
 * How many guards of this thread were garbage-collected although they had not been released and
 * the thread still held what they stood for. Code that calls `lock.release()` and drops the guard
 * may be counted as well, if the collector comes in between. Does not block.
 */
export function lostGuards(): number {
  return lost.count;
}

/** Notes a guard that was made just now. */
export function noteGuard(holds: LastGuard, guard: LosableGuard): void {
  if (holds.last === undefined) {
    if (fresh.length === freshMax) registerGuards();
    fresh.push(holds);
  }
  holds.last = guard;
}

/** Once a slice, or earlier: registers those that still hold. */
export function registerGuards(): void {
  for (const holds of fresh.splice(0)) {
    let guard = holds.last;
    holds.last = undefined;
    while (guard !== undefined) {
      if (guard.isHeld) registry.register(guard, guard.makeRecord());
      const { previous } = guard as LosableGuard;
      guard.forgetPrevious();
      guard = previous;
    }
  }
}

function isHeld(record: GuardRecord): boolean {
  try {
    return record.isHeld();
  } catch {
    return false;
  }
}

function onCollected(record: GuardRecord): void {
  if (record.isOver || !isHeld(record)) return;
  lost.count++;
  record.lost();
  if (!tellsLostGuards) return;
  process.emitWarning(
    `${record.what}: a guard was garbage-collected before its release, so it stays held`,
    { code: 'ERR_HOLDFAST_LOST_GUARD', ...(record.stack && { detail: record.stack }) },
  );
}
