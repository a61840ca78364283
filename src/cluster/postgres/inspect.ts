// What Cluster.inspect() shows, of the rows that the function of the schema returns.
import { clientOf } from '../client.js';
import type { ClusterInspection, ClusterParty } from '../cluster.js';
import { nameOf } from '../names.js';

interface Who {
  readonly session: number;
  readonly client: string;
}

export interface InspectRows {
  readonly locks: readonly {
    readonly kind: 'l' | 's';
    readonly name: string;
    readonly permits: number | null;
    readonly token: string;
    readonly exclusive: boolean;
    /** Milliseconds since the last grant. */
    readonly age: number;
    readonly holders: readonly Who[] | null;
    readonly waiters:
      | readonly (Who & { readonly exclusive: boolean; readonly age: number })[]
      | null;
  }[];
  readonly queues: readonly {
    readonly key: string;
    readonly waiting: number;
    readonly taken: number;
  }[];
}

export function toInspection({ locks, queues }: InspectRows): ClusterInspection {
  return {
    locks: locks.map(({ kind, name, permits, token, exclusive, age, holders, waiters }) => {
      const howOf = (isExclusive: boolean): ClusterParty['how'] =>
        kind === 's' ? 'permit' : isExclusive ? 'exclusive' : 'shared';
      return {
        kind: kind === 'l' ? 'lock' : 'semaphore',
        name: nameOf(name),
        permits,
        token: BigInt(token),
        // Tokens are times, and only the last grant is known.
        holders: (holders ?? []).map((who, i, { length }) =>
          toParty(who, howOf(exclusive), i === length - 1 ? age : null),
        ),
        waiters: (waiters ?? []).map((who) => toParty(who, howOf(who.exclusive), who.age)),
      };
    }),
    queues: queues.map(({ key, waiting, taken }) => ({ name: nameOf(key), waiting, taken })),
  };
}

function toParty({ session, client }: Who, how: ClusterParty['how'], since: number | null) {
  const ms = since === null ? null : Math.max(0, since);
  return { clientId: String(session), ...clientOf(client), how, since: ms };
}
