// Many tasks through a Pool whose workers are killed again and again. Every result must be right,
// and there must be exactly one of each.
import { readdirSync } from 'node:fs';
import { setInterval, setTimeout as sleep } from 'node:timers/promises';
import { Pool, list } from 'holdfast';
import type { Random } from './random.js';

export interface PoolKillsPlan {
  readonly tasks: number;
  /** Milliseconds between two kills. */
  readonly every: number;
  readonly processes: number;
  readonly retries: number;
}

export interface PoolKillsOutcome {
  kills: number;
  /** Answers of tasks: exactly one each. */
  results: number;
  faults: string[];
}

const module = new URL('../programs/pool-targets.mjs', import.meta.url);
export const square = { module, export: 'square' };

/** The descriptors of this process; undefined where the system does not tell. */
export function descriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

/** False if the process has ended already, and its pool has not heard of it. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function playPoolKills(
  plan: PoolKillsPlan,
  random: Random,
): Promise<PoolKillsOutcome> {
  const faults: string[] = [];
  const pids = new Set<number>();
  await warmUp();
  const before = { descriptors: descriptors(), objects: list().length };
  // Without the loader of the tests a worker starts faster.
  const pool = new Pool({ processes: plan.processes, execArgv: [] });
  // From the first answer on, new workers load the module before they are ready. Until then a task
  // loads it, and several deaths in a row may cost it all its retries.
  await pool.run(square, 0);
  const stop = new AbortController();
  let kills = 0;
  const killer = (async () => {
    for await (const _ of setInterval(plan.every, undefined, { signal: stop.signal })) {
      const { workers } = pool.inspect();
      for (const { pid } of workers) pids.add(pid);
      const ready = workers.filter(({ state }) => state !== 'starting');
      if (ready.length === 0) continue;
      if (kill(random.pick(ready).pid)) kills++;
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) faults.push(`the killer: ${String(error)}`);
  });
  const counts = new Uint8Array(plan.tasks);
  const options = { retries: plan.retries };
  const run = async (i: number) => {
    try {
      const result = await pool.run(square, i, options);
      counts[i]!++;
      if (result !== i * i) faults.push(`task ${i}: ${String(result)}`);
    } catch (error) {
      faults.push(`task ${i}: ${String(error)}`);
    }
  };
  await Promise.all(Array.from({ length: plan.tasks }, (_, i) => run(i)));
  stop.abort();
  await killer;
  await pool.close();
  const results = counts.reduce((sum, count) => sum + count, 0);
  if (counts.some((count) => count !== 1)) faults.push('a result is missing, or came twice');
  for (const pid of pids) if (isThere(pid)) faults.push(`process ${pid} is left`);
  const after = { descriptors: descriptors(), objects: list().length };
  // This thread keeps the doorbells open that it wrote to last, a few for all workers there were.
  const kept = 2 * plan.processes;
  if ((after.descriptors ?? 0) > (before.descriptors ?? 0) + kept) {
    faults.push(`${before.descriptors} descriptors before, ${after.descriptors} after`);
  }
  if (after.objects !== before.objects) {
    faults.push(`${before.objects} objects before, ${after.objects} after`);
  }
  return { kills, results, faults };
}

/** What a first Pool opens for good, as the doorbell of this thread, is open from now on. */
async function warmUp(): Promise<void> {
  await using pool = new Pool({ processes: 1, execArgv: [] });
  await pool.run(square, 1);
  await sleep(1);
}
