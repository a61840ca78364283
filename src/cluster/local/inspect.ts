// What is shown of a namespace in shared memory.
import os from 'node:os';
import type { LockInfo, LockManager } from '../../locks/lock-manager.js';
import { type Party, list } from '../../objects/listing.js';
import type {
  ClusterInspection,
  ClusterLockState,
  ClusterParty,
  ClusterQueueState,
} from '../cluster.js';
import { type Shown, lockStatesOf } from '../lock-states.js';
import { nameOf } from '../names.js';

/** How the names of the objects of a namespace begin. */
interface Prefixes {
  readonly semaphore: string;
  readonly queue: string;
}

export async function inspect(
  manager: LockManager,
  prefixes: Prefixes,
): Promise<ClusterInspection> {
  const { held, pending } = await manager.query();
  const locks = lockStatesOf([
    ...held.map((info) => shownOf(info, true)),
    ...pending.map((info) => shownOf(info, false)),
  ]);
  const semaphores: ClusterLockState[] = [];
  const queues: ClusterQueueState[] = [];
  for (const { name, state } of list({ state: true })) {
    if (!state) continue;
    const { holders, waiters, permits, size = 0, leased = 0 } = state;
    if (name.startsWith(prefixes.semaphore) && holders.length + waiters.length > 0) {
      semaphores.push({
        kind: 'semaphore',
        name: nameOf(name.slice(prefixes.semaphore.length)),
        permits: permits ?? null,
        token: null,
        holders: holders.flatMap(partiesOf),
        waiters: waiters.flatMap(partiesOf),
      });
    } else if (name.startsWith(prefixes.queue) && size + leased > 0) {
      const queue = nameOf(name.slice(prefixes.queue.length));
      queues.push({ name: queue, waiting: size, taken: leased });
    }
  }
  return { locks: [...locks, ...semaphores], queues };
}

function shownOf({ name, mode, ...who }: LockInfo, isHeld: boolean): Shown {
  const { clientId, pid, threadId, processName } = who;
  const client = { clientId, host: os.hostname(), pid, threadId, processName };
  const party = { ...client, how: mode, since: null };
  return { kind: 'lock', name, isHeld, party, permits: null, token: null };
}

function partiesOf({ pid, threadId, processName, count }: Party): ClusterParty[] {
  const clientId = `${pid}/${threadId}`;
  const who = { clientId, host: os.hostname(), pid, threadId, processName, since: null };
  return Array.from({ length: count }, () => ({ ...who, how: 'permit' as const }));
}
