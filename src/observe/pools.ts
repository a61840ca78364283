// The Pools of all processes of the user, read from their pages.
import { HoldfastError } from '../errors.js';
import type { ObjectEntry } from '../objects/listing.js';
import { SharedMemory } from '../objects/shared-memory.js';
import { Page, pagePrefix } from '../pool/page.js';
import { machineTime } from '../waiting/clock.js';
import { perSecond } from './rates.js';

/** What is seen of a Pool. */
export interface SeenPool {
  /** The name of its page, which no other pool has. */
  readonly key: string;
  readonly name: string;
  /** The process that it belongs to. */
  readonly pid: number;
  readonly processes: number;
  /** Workers that run a task. */
  readonly busy: number;
  /** Tasks that no worker runs yet. */
  readonly waiting: number;
  readonly done: number;
  readonly failed: number;
  /** For how many milliseconds the longest task runs; undefined if none runs. */
  readonly longest: number | undefined;
  /** The memory of all workers in bytes, as they measured lately. */
  readonly memory: number;
}

/** Those whose pages are among the objects. Blocks only while the directory is locked. */
export function seePools(objects: readonly ObjectEntry[]): SeenPool[] {
  const pages = objects.filter(
    ({ kind, name, inUse }) => kind === 'SharedMemory' && inUse && name.startsWith(pagePrefix),
  );
  return pages.flatMap(({ name }) => seePool(name) ?? []);
}

/** Undefined if it has ended meanwhile, or is no page that this version can read. */
function seePool(key: string): SeenPool | undefined {
  let memory;
  try {
    memory = new SharedMemory(undefined, { name: key, mustExist: true });
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
  try {
    const page = Page.read(memory);
    return page && describe(key, page);
  } finally {
    memory.close();
  }
}

function describe(key: string, page: Page): SeenPool {
  const { name, pid, processes, tasks } = page;
  const workers = Array.from({ length: processes }, (_, i) => page.worker(i));
  const since = workers.map((worker) => worker.since).filter((ms) => ms > 0);
  return {
    key,
    name,
    pid,
    processes,
    busy: since.length,
    waiting: tasks.waiting,
    done: tasks.done,
    failed: tasks.failed,
    longest: since.length > 0 ? Math.max(0, machineTime() - Math.min(...since)) : undefined,
    memory: workers.reduce((sum, worker) => sum + worker.memory, 0),
  };
}

/** A Pool with what happens in it each second. */
export interface RatedPool extends SeenPool {
  /** Tasks that ended a second, well or not. */
  readonly rate: number;
}

/** Compares each look with the one before. */
export class PoolRates {
  #before = new Map<string, SeenPool>();
  #at_ms = 0;

  next(pools: readonly SeenPool[], now_ms: number): RatedPool[] {
    const s = (now_ms - this.#at_ms) / 1000;
    const ended = ({ done, failed }: SeenPool) => done + failed;
    const rated = pools.map((pool) => {
      const before = this.#before.get(pool.key) ?? pool;
      return { ...pool, rate: perSecond(ended(pool), ended(before), s) };
    });
    this.#before = new Map(pools.map((pool) => [pool.key, pool]));
    this.#at_ms = now_ms;
    return rated;
  }
}
