// What is shown of the requests of a namespace: rows of the script, with what they mean.
import type {
  ClusterInspection,
  ClusterLockInfo,
  ClusterLockSnapshot,
  ClusterLockState,
  ClusterParty,
  ClusterQueueState,
} from '../cluster.js';
import { nameOf } from '../names.js';

/** Session, request, and the row of the request. */
export type RequestRow = readonly [string, string, string];

interface Shown {
  readonly clientId: string;
  readonly isHeld: boolean;
  readonly kind: 'lock' | 'semaphore';
  readonly name: string;
  readonly how: ClusterParty['how'];
  /** The token, or the place in the line. Both are times in microseconds. */
  readonly number: bigint;
}

const hows = { x: 'exclusive', s: 'shared', p: 'permit' } as const;

/** The oldest first. */
function shown(rows: readonly RequestRow[]): Shown[] {
  const all = rows.map(([clientId, , row]): Shown => {
    const [, state, mode, number, kind, text] = /^(.)(.) (\d+) (.)([^]*)$/.exec(row)!;
    return {
      clientId,
      isHeld: state === 'h',
      kind: kind === 'l' ? 'lock' : 'semaphore',
      name: nameOf(text!),
      how: hows[mode as 'x' | 's' | 'p'],
      number: BigInt(number!),
    };
  });
  return all.toSorted((one, other) => Number(one.number - other.number));
}

export function toSnapshot(rows: readonly RequestRow[]): ClusterLockSnapshot {
  const held: ClusterLockInfo[] = [];
  const pending: ClusterLockInfo[] = [];
  for (const { clientId, isHeld, name, how } of shown(rows)) {
    if (how !== 'permit') (isHeld ? held : pending).push({ name, mode: how, clientId });
  }
  return { held, pending };
}

/** @param now_ms by the clock of the server */
export function toInspection(
  rows: readonly RequestRow[],
  now_ms: number,
  queues: readonly ClusterQueueState[],
): ClusterInspection {
  const locks = new Map<string, ClusterLockState & Parties>();
  for (const { clientId, isHeld, kind, name, how, number } of shown(rows)) {
    const key = `${kind} ${name}`;
    const lock = locks.get(key) ?? { kind, name, permits: null, token: null, ...noParties() };
    const since = Math.max(0, now_ms - Number(number) / 1000);
    const who = { clientId, host: '', pid: 0, threadId: 0, processName: '', how, since };
    (isHeld ? lock.holders : lock.waiters).push(who);
    // The last grant has the greatest number.
    locks.set(key, isHeld ? { ...lock, token: number } : lock);
  }
  return { locks: [...locks.values()], queues };
}

interface Parties {
  readonly holders: ClusterParty[];
  readonly waiters: ClusterParty[];
}

function noParties(): Parties {
  return { holders: [], waiters: [] };
}
