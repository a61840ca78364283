// Guards that were garbage-collected while they held: nobody can release them any more.
//
// To register an object with the garbage collector costs several times what an acquisition does. So
// it is not the guard that is registered, but a sentinel, to which only the guard refers. When the
// guard is collected, so is its sentinel. A guard that is released gives its sentinel back, and the
// next guard takes it: an acquisition costs a few words to write.
//
// A release by name, as `lock.release()`, does not know the guard. It finds the sentinel among
// those that were taken last, gives it back, and leaves the guard with a sentinel that may be
// another's by now: that is why a guard asks isStillOf(). The list of those taken last is forgotten
// once a slice, because what it refers to is not collected.
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

const recentCount = 16;
/** The sentinels that were taken last. `last` is the place of the newest. */
const recent = Array.from({ length: recentCount }, (): Sentinel | undefined => undefined);
let last = 0;

const registry = new FinalizationRegistry((record: HoldRecord) => {
  const { holds, hold } = record;
  if (holds === undefined || !isHeld(holds, hold)) return;
  lost.count++;
  if (holds instanceof ToldHolds) holds.acquisition.lost();
  if (warns) warn(holds, record.stack);
});

/** All that this thread holds, while guards that were lost together are looked at. */
let held: Set<string> | undefined;

/** A release by name leaves the guard unreleased; then nothing is lost. */
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
  const sentinel = spare ?? makeSentinel();
  spare = sentinel.next;
  sentinel.next = undefined; // the next guard's must not be reachable from here
  sentinel.record.holds = holds;
  sentinel.record.hold = hold;
  last = (last + 1) % recentCount;
  recent[last] = sentinel;
  if (warns) sentinel.record.stack = new Error('acquired').stack;
  return sentinel;
}

function makeSentinel(): Sentinel {
  const sentinel = new Sentinel(new HoldRecord());
  registry.register(sentinel, sentinel.record);
  return sentinel;
}

/** @internal The guard has been released, and must not refer to it any more. */
export function giveBackSentinel(sentinel: Sentinel): void {
  sentinel.record.holds = undefined;
  sentinel.next = spare;
  spare = sentinel;
}

/** @internal False: the hold has been released by name, and the sentinel may be another guard's. */
export function isStillOf(sentinel: Sentinel, holds: Holds, hold: number): boolean {
  const { record } = sentinel;
  return record.holds === holds && record.hold === hold;
}

/** @internal One of these holds was released by name: take it for that of the newest guard. */
export function releasedByName(holds: Holds): void {
  for (let age = 0; age < recentCount; age++) {
    const sentinel = recent[(last - age + recentCount) % recentCount];
    if (sentinel?.record.holds !== holds) continue;
    giveBackSentinel(sentinel);
    return;
  }
}

/** @internal To be called once a slice: from now on the sentinels taken so far can be collected. */
export function forgetRecentSentinels(): void {
  recent.fill(undefined);
}

/** @internal This thread holds nothing: it may never hold as much again as it has held. */
export function dropSpareSentinels(): void {
  spare = undefined;
}

/**
 * How many guards of this thread were garbage-collected although they had not been released and the
 * thread still held what they stood for. With `HOLDFAST_DEBUG=1` in the environment, or with
 * `--trace-warnings` of Node, each is also a warning (`ERR_HOLDFAST_LOST_GUARD`) with the stack of
 * its acquisition. Code that drops the guard and calls `lock.release()` later is counted as well,
 * if the collector comes in between. Does not block.
 */
export function lostGuards(): number {
  return lost.count;
}
