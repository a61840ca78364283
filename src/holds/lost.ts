// Guards that were garbage-collected while they held: nobody can release them any more.
//
// To register an object with the garbage collector costs several times what an acquisition does. So
// it is not the guard that is registered, but a sentinel, to which only the guard refers. When the
// guard is collected, so is its sentinel. A guard that is released gives its sentinel back, and the
// next guard takes it: an acquisition costs a few words to write.
import { label } from '../errors.js';
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
  /** undefined: the hold has ended. */
  holds: Holds | undefined;
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

const registry = new FinalizationRegistry((record: HoldRecord) => {
  const { holds } = record;
  if (holds === undefined || !holdsStill(holds)) return;
  lost.count++;
  if (holds instanceof ToldHolds) holds.acquisition.lost();
  if (warns) warn(holds, record.stack);
});

/** A release by name leaves the guard unreleased; then nothing is lost. */
function holdsStill(holds: Holds): boolean {
  try {
    return !holds.mayClose();
  } catch {
    return false; // the object was closed
  }
}

function warn({ about }: Holds, stack: string | undefined): void {
  process.emitWarning(
    `${label(about.kind, about.name)}: a guard was garbage-collected before its release, ` +
      'so it stays held',
    { code: 'ERR_HOLDFAST_LOST_GUARD', ...(stack && { detail: stack }) },
  );
}

/** @internal For a guard of these holds. */
export function takeSentinel(holds: Holds): Sentinel {
  const sentinel = spare ?? makeSentinel();
  spare = sentinel.next;
  sentinel.next = undefined; // the next guard's must not be reachable from here
  sentinel.record.holds = holds;
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

/** @internal This thread holds nothing: it may never hold as much again as it has held. */
export function dropSpareSentinels(): void {
  spare = undefined;
}

/**
 * How many guards of this thread were garbage-collected although they had not been released and the
 * thread still held what they stood for. With `HOLDFAST_DEBUG=1` in the environment, or with
 * `--trace-warnings` of Node, each is also a warning (`ERR_HOLDFAST_LOST_GUARD`) with the stack of
 * its acquisition. Code that calls `lock.release()` and drops the guard may be counted as well, if
 * the collector comes in between. Does not block.
 */
export function lostGuards(): number {
  return lost.count;
}
