// What inspect() of a Pool shows.
import { shownName } from './callee.js';
import type { Crew } from './crew.js';
import type { Member } from './member.js';
import { memoryOf } from './memory.js';
import { BuiltInDate } from '../records/value-format.js';
import { machineTime } from '../waiting/clock.js';

/** What `inspect()` shows of a Pool: a snapshot, which may be out of date when it is read. */
export interface PoolState {
  /** The name of the Pool. */
  readonly name: string;
  /** How many workers there should be. */
  readonly processes: number;
  /** Tasks that no worker runs yet. A chunk of map() is one task. */
  readonly waiting: number;
  /** Tasks that workers run. */
  readonly running: number;
  /** Tasks that have ended well. */
  readonly done: number;
  /** Tasks that have failed. */
  readonly failed: number;
  /** The workers there are now. */
  readonly workers: readonly PoolWorker[];
}

/** What `inspect()` shows of one worker. */
export interface PoolWorker {
  /** Its process id. */
  readonly pid: number;
  /** `starting`: it is not ready. `ending`: it gets no further tasks. */
  readonly state: 'starting' | 'idle' | 'busy' | 'ending';
  /** The name of the function that it runs; null if it runs none. */
  readonly task: string | null;
  /** When that began, of map() for this item; null if it runs none. */
  readonly since: Date | null;
  /** Its resident memory in bytes; on macOS as it was when its last task ended. */
  readonly memory: number;
  /** How many tasks it has done. */
  readonly tasks: number;
}

export function stateOf(name: string, processes: number, crew: Crew): PoolState {
  const { members, settled, load } = crew;
  return {
    name,
    processes,
    waiting: load.tasks - load.busy,
    running: load.busy,
    ...settled,
    workers: [...members].map(workerOf),
  };
}

function workerOf(member: Member): PoolWorker {
  const { page, running, process } = member;
  const { since } = page;
  const busy = running !== undefined || member.load > 0 ? 'busy' : 'idle';
  const state = member.isRetired ? 'ending' : busy;
  return {
    pid: process.pid!,
    state: member.isReady ? state : 'starting',
    task: running ? shownName(running.callee) : null,
    since: running && since > 0 ? dateOf(since) : null,
    memory: memoryOf(process.pid!) ?? page.memory,
    tasks: page.done,
  };
}

function dateOf(ms: number): Date {
  return new BuiltInDate(BuiltInDate.now() - (machineTime() - ms));
}
