// What is shown of the requests and the queues of a namespace. etcd knows no times.
import type {
  ClusterInspection,
  ClusterLockSnapshot,
  ClusterLockState,
  ClusterParty,
} from '../cluster.js';
import type { Jobs } from './jobs.js';
import {
  type Keys,
  type Pair,
  keyOfPair,
  oldestFirst,
  pairsOf,
  queueNameOf,
  readAll,
  valueOfPair,
} from './keys.js';
import type { Transact } from './requests.js';

/** A request, as its key and the value of that tell it. */
interface Shown {
  readonly kind: 'lock' | 'semaphore';
  readonly name: string;
  readonly clientId: string;
  readonly how: ClusterParty['how'];
  readonly permits: number | null;
  readonly revision: bigint;
}

/** Holders and waiters, the oldest first. */
async function read(keys: Keys, transact: Transact): Promise<[Shown[], Shown[]]> {
  const letters = ['h', 'w'] as const;
  const reads = letters.map((letter) => readAll(keys.all(letter), oldestFirst));
  const answer = await transact([], reads, []);
  const [held, pending] = letters.map((letter, part) =>
    pairsOf(answer, part).map((pair) => toShown(pair, keys.all(letter))),
  );
  return [held!, pending!];
}

/** A holder says in its key how it holds, and one who waits in its value how it is to hold. */
function toShown(pair: Pair, prefix: string): Shown {
  const [resource, kind, held] = keyOfPair(pair).slice(prefix.length).split('/');
  const [id, waitsFor] = valueOfPair(pair).split(' ');
  const isLock = resource!.startsWith('l');
  const isExclusive = (waitsFor ?? kind) === 'x';
  return {
    kind: isLock ? 'lock' : 'semaphore',
    name: queueNameOf(resource!.slice(1)),
    clientId: id!.split('-')[0]!,
    how: isLock ? (isExclusive ? 'exclusive' : 'shared') : 'permit',
    permits: isLock ? null : Number(waitsFor ?? held),
    revision: BigInt(pair.mod_revision),
  };
}

export async function query(keys: Keys, transact: Transact): Promise<ClusterLockSnapshot> {
  const [held, pending] = (await read(keys, transact)).map((all) =>
    all.flatMap(({ how: mode, name, clientId }) =>
      mode === 'permit' ? [] : { name, mode, clientId },
    ),
  );
  return { held: held!, pending: pending! };
}

export async function inspect(
  keys: Keys,
  transact: Transact,
  jobs: Jobs,
): Promise<ClusterInspection> {
  const [held, pending] = await read(keys, transact);
  const queues = [];
  for (const name of await queueNames(keys, transact)) {
    queues.push({ name, ...(await jobs.count(name)) });
  }
  return { locks: toLocks(held, pending), queues };
}

async function queueNames(keys: Keys, transact: Transact): Promise<string[]> {
  const letters = ['f', 'r'] as const;
  const reads = letters.map((letter) => readAll(keys.all(letter), { keys_only: true }));
  const answer = await transact([], reads, []);
  const names = letters.flatMap((letter, part) =>
    pairsOf(answer, part).map((pair) => keyOfPair(pair).slice(keys.all(letter).length)),
  );
  return [...new Set(names.map((key) => queueNameOf(key.split('/')[0]!)))].toSorted();
}

function toLocks(held: readonly Shown[], pending: readonly Shown[]): ClusterLockState[] {
  const all = [...held, ...pending];
  const names = new Map(all.map((one) => [`${one.kind} ${one.name}`, one]));
  return [...names.values()].map(({ kind, name, permits }) => {
    const isOfIt = (one: Shown): boolean => one.kind === kind && one.name === name;
    const holders = held.filter(isOfIt);
    const revisions = holders.map(({ revision }) => revision);
    const token = revisions.reduce((most, one) => (one > most ? one : most), 0n);
    return {
      kind,
      name,
      permits,
      token: holders.length === 0 ? null : token,
      holders: holders.map(toParty),
      waiters: pending.filter(isOfIt).map(toParty),
    };
  });
}

function toParty({ clientId, how }: Shown): ClusterParty {
  return { clientId, host: '', pid: 0, threadId: 0, processName: '', how, since: null };
}
