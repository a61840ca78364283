// The locks, semaphores and queues that an engine keeps, as the tools show objects of this host.
import type {
  Cluster,
  ClusterLockState,
  ClusterParty,
  ClusterQueueState,
} from '../cluster/cluster.js';
import { connect } from '../cluster/connect.js';
import type { Party } from '../objects/listing.js';
import type { Seen } from './snapshot.js';

/** What all objects of a cluster have in common here. */
const common = { persistent: false, inUse: true, bytes: 0 } as const;

/** Takes looks at one namespace. Its own session holds nothing and waits for nothing. */
export class EngineLooks {
  readonly #cluster: Promise<Cluster>;

  /** Rejects at the first look if the engine cannot be reached. */
  constructor(url: string, namespace: string | undefined) {
    this.#cluster = connect(url, { namespace });
    this.#cluster.catch(() => {});
  }

  async next(): Promise<Seen[]> {
    const { locks, queues } = await (await this.#cluster).inspect();
    return [...locks.map(toLock), ...queues.map(toQueue)];
  }

  async close(): Promise<void> {
    const cluster = await this.#cluster.catch(() => undefined);
    await cluster?.close();
  }
}

function toLock({ kind, name, permits, token, holders, waiters }: ClusterLockState): Seen {
  const since = holders.flatMap(({ since: ms }) => ms ?? []);
  const waits = waiters.flatMap(({ since: ms }) => ms ?? []);
  return {
    ...common,
    kind: kind === 'lock' ? 'Lock' : 'Semaphore',
    name,
    state: {
      holders: toParties(holders),
      waiters: toParties(waiters),
      abandoned: false,
      heldFor: since.length === 0 ? null : Math.round(Math.max(...since)),
      longestWait: waits.length === 0 ? null : Math.round(Math.max(...waits)),
      ...(permits !== null && { permits }),
    },
    ...(token !== null && { token: String(token) }),
  };
}

function toQueue({ name, waiting, taken }: ClusterQueueState): Seen {
  const nobody = { holders: [], waiters: [], abandoned: false, heldFor: null, longestWait: null };
  const state = { ...nobody, size: waiting, leased: taken };
  return { ...common, kind: 'JoinableQueue', name, state };
}

/** Holds of one session, or its waits, are one party. */
function toParties(all: readonly ClusterParty[]): Party[] {
  const parties = new Map<string, Party>();
  for (const { clientId, host, pid, threadId, processName, how } of all) {
    const key = `${clientId} ${how}`;
    const count = (parties.get(key)?.count ?? 0) + 1;
    const who = pid === 0 ? clientId : `${processName} on ${host}, session ${clientId}`;
    parties.set(key, { pid, threadId, processName: who, how, count });
  }
  return [...parties.values()];
}
