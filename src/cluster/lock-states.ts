// The requests of a namespace, as inspect() and query() show them.
import type {
  ClusterLockInfo,
  ClusterLockSnapshot,
  ClusterLockState,
  ClusterParty,
} from './cluster.js';

/** A request that holds or waits. */
export interface Shown {
  readonly kind: ClusterLockState['kind'];
  readonly name: string;
  readonly isHeld: boolean;
  readonly party: ClusterParty;
  /** Of a semaphore, if the engine knows. */
  readonly permits: number | null;
  /** Of a request that holds, if the engine knows. */
  readonly token: bigint | null;
}

/** What query() needs to know of one. */
interface Queried extends Pick<Shown, 'name' | 'isHeld'> {
  readonly party: Pick<ClusterParty, 'clientId' | 'how'>;
}

/** The locks among them. Those that wait have to come in order. */
export function snapshotOf(requests: readonly Queried[]): ClusterLockSnapshot {
  const held: ClusterLockInfo[] = [];
  const pending: ClusterLockInfo[] = [];
  for (const { name, isHeld, party } of requests) {
    const { how: mode, clientId } = party;
    if (mode !== 'permit') (isHeld ? held : pending).push({ name, mode, clientId });
  }
  return { held, pending };
}

/** By lock and semaphore. Those that wait have to come in order. */
export function lockStatesOf(requests: readonly Shown[]): ClusterLockState[] {
  const states = new Map<string, State>();
  for (const { kind, name, isHeld, party, permits, token } of requests) {
    const key = `${kind} ${name}`;
    const state = states.get(key) ?? new State(kind, name, permits);
    states.set(key, state);
    (isHeld ? state.holders : state.waiters).push(party);
    if (token !== null && (state.token === null || token > state.token)) state.token = token;
  }
  return Array.from(states.values(), (state) => ({ ...state }));
}

class State implements ClusterLockState {
  token: bigint | null = null;
  readonly holders: ClusterParty[] = [];
  readonly waiters: ClusterParty[] = [];

  constructor(
    readonly kind: ClusterLockState['kind'],
    readonly name: string,
    readonly permits: number | null,
  ) {}
}
