// Guards that were garbage-collected while they held: nobody can release them any more.
//
// To register an object with the garbage collector costs several times what an acquisition does. So
// it is not the guard that is registered, but a sentinel, to which only the guard refers. When the
// guard is collected, so is its sentinel. A guard that is released gives its sentinel back, and the
// next guard takes it: an acquisition costs a few words to write.
//
// Whoever releases by name, as `lock.release()`, needs no guard. So once an object was released by
// name, its further guards are not watched, and the earlier ones do not count: the hold of a nested
// guard of an RLock goes on after such a release, and so may one of several permits.
import { label } from '../errors.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { type Holds, ToldHolds } from './holds.js';

/** With HOLDFAST_DEBUG, or --trace-warnings of Node, each lost guard is a warning. */
const warns =
  Boolean(process.env['HOLDFAST_DEBUG']) ||
  [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)].includes(
    '--trace-warnings',
  );

/** What is to be known of a guard when it is gone. It must not lead to the guard. */
class HoldRecord {
  /** undefined: the guard was released. */
  holds: Holds | undefined;
  /** The number of the hold. */
  hold = 0;
  /** Of the acquisition; only for warnings. */
  stack: string | undefined;
}

/** @internal Stands for a guard that holds. Only that guard refers to it. */
export class Sentinel {
  /** While no guard has it: the next one that none has. */
  next: Sentinel | undefined;

  constructor(readonly record: HoldRecord) {}
}

const lost = once('lost guards', () => ({ count: 0 }));
let spare: Sentinel | undefined;

/** Of all guards that are not watched. */
const unwatched = new Sentinel(new HoldRecord());

const registry = new FinalizationRegistry((record: HoldRecord) => {
  const { holds, hold } = record;
  if (holds === undefined || holds.isReleasedByName || !isHeld(holds, hold)) return;
  lost.count++;
  if (holds instanceof ToldHolds) holds.acquisition.lost();
  if (warns) warn(holds, record.stack);
});

/** All that this thread holds, while guards that were lost together are looked at. */
let held: Set<string> | undefined;

/** Another thread, or another object of this one, may have ended it; then nothing is lost. */
function isHeld({ tag }: Holds, hold: number): boolean {
  held ??= listHeld();
  return held.has(`${tag} ${hold}`);
}

function listHeld(): Set<string> {
  const row = addon.heldHere();
  const list = new Set<string>();
  for (let i = 0; i < row.length; i += 3) list.add(`${row[i]} ${row[i + 1]}`);
  void Promise.resolve().then(() => (held = undefined));
  return list;
}

function warn({ about }: Holds, stack: string | undefined): void {
  process.emitWarning(
    `${label(about.kind, about.name)}: a guard was garbage-collected before its release, ` +
      'so it stays held',
    { code: 'ERR_HOLDFAST_LOST_GUARD', ...(stack && { detail: stack }) },
  );
}

/** @internal For a guard of these holds, and of the hold with that number. */
export function takeSentinel(holds: Holds, hold: number): Sentinel {
  return holds.isReleasedByName ? unwatched : takeSpare(holds, hold);
}

function takeSpare(holds: Holds, hold: number): Sentinel {
  const sentinel = spare ?? makeSentinel();
  spare = sentinel.next;
  sentinel.next = undefined; // the next guard's must not be reachable from here
  const { record } = sentinel;
  record.holds = holds;
  record.hold = hold;
  if (warns) keepStack(record);
  return sentinel;
}

function keepStack(record: HoldRecord): void {
  record.stack = new Error('acquired').stack;
}

function makeSentinel(): Sentinel {
  const sentinel = new Sentinel(new HoldRecord());
  registry.register(sentinel, sentinel.record);
  return sentinel;
}

/** @internal The guard has been released, and must not refer to it any more. */
export function giveBackSentinel(sentinel: Sentinel): void {
  if (sentinel === unwatched) return;
  sentinel.record.holds = undefined;
  sentinel.next = spare;
  spare = sentinel;
}

/** @internal The holds of the guard with this sentinel are reached through these from now on. */
export function watchThrough(sentinel: Sentinel, holds: Holds): void {
  if (sentinel !== unwatched) sentinel.record.holds = holds;
}

/** @internal This thread holds nothing: it may never hold as much again as it has held. */
export function dropSpareSentinels(): void {
  spare = undefined;
}

/**
 * How many guards of this thread were garbage-collected although they had not been released and the
 * thread still held what they stood for. With `HOLDFAST_DEBUG=1` in the environment, or with
 * `--trace-warnings` of Node, each is also a warning (`ERR_HOLDFAST_LOST_GUARD`) with the stack of
 * its acquisition. Once this thread has called `lock.release()`, the guards of that object do not
 * count any more, because such code needs no guards. Does not block.
 */
export function lostGuards(): number {
  return lost.count;
}
