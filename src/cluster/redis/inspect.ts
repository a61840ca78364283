// What is shown of the requests of a namespace: rows of the script, with what they mean.
import { unknownClient } from '../client.js';
import type {
  ClusterInspection,
  ClusterLockSnapshot,
  ClusterParty,
  ClusterQueueState,
} from '../cluster.js';
import { lockStatesOf, snapshotOf } from '../lock-states.js';
import { nameOf } from '../names.js';

/** Session, request, and the row of the request. */
export type RequestRow = readonly [string, string, string];

interface Request {
  readonly isHeld: boolean;
  readonly kind: 'lock' | 'semaphore';
  readonly name: string;
  readonly party: Pick<ClusterParty, 'clientId' | 'how'>;
  /** The token, or the place in the line. Both are times in microseconds. */
  readonly number: bigint;
}

const hows = { x: 'exclusive', s: 'shared', p: 'permit' } as const;

/** The oldest first. */
function requestsOf(rows: readonly RequestRow[]): Request[] {
  const all = rows.map(([clientId, , row]): Request => {
    const [, state, mode, number, kind, text] = /^(.)(.) (\d+) (.)([^]*)$/.exec(row)!;
    return {
      isHeld: state === 'h',
      kind: kind === 'l' ? 'lock' : 'semaphore',
      name: nameOf(text!),
      party: { clientId, how: hows[mode as 'x' | 's' | 'p'] },
      number: BigInt(number!),
    };
  });
  return all.toSorted((one, other) => Number(one.number - other.number));
}

export function toSnapshot(rows: readonly RequestRow[]): ClusterLockSnapshot {
  return snapshotOf(requestsOf(rows));
}

/** @param now_ms by the clock of the server */
export function toInspection(
  rows: readonly RequestRow[],
  now_ms: number,
  queues: readonly ClusterQueueState[],
): ClusterInspection {
  const shown = requestsOf(rows).map(({ kind, name, isHeld, party: who, number }) => {
    const since = Math.max(0, now_ms - Number(number) / 1000);
    const party = { ...unknownClient, ...who, since };
    return { kind, name, isHeld, party, permits: null, token: isHeld ? number : null };
  });
  return { locks: lockStatesOf(shown), queues };
}
