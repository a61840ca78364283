// What is shown of the requests and the queues of a namespace. etcd knows no times.
import { unknownClient } from '../client.js';
import type { ClusterInspection, ClusterLockSnapshot } from '../cluster.js';
import { type Shown, lockStatesOf, snapshotOf } from '../lock-states.js';
import type { Jobs } from './jobs.js';
import {
  type Keys,
  type Pair,
  keyOfPair,
  nameOfKey,
  oldestFirst,
  pairsOf,
  readAll,
  valueOfPair,
} from './keys.js';
import type { Transact } from './requests.js';

/** Holders, the oldest first, and then those who wait. */
async function read(keys: Keys, transact: Transact): Promise<Shown[]> {
  const letters = ['h', 'w'] as const;
  const reads = letters.map((letter) => readAll(keys.all(letter), oldestFirst));
  const answer = await transact([], reads, []);
  return letters.flatMap((letter, part) =>
    pairsOf(answer, part).map((pair) => toShown(pair, keys.all(letter), letter === 'h')),
  );
}

/** A holder says in its key how it holds, and one who waits in its value how it is to hold. */
function toShown(pair: Pair, prefix: string, isHeld: boolean): Shown {
  const [resource, kind, held] = keyOfPair(pair).slice(prefix.length).split('/');
  const [id, waitsFor] = valueOfPair(pair).split(' ');
  const isLock = resource!.startsWith('l');
  const isExclusive = (waitsFor ?? kind) === 'x';
  const how = isLock ? (isExclusive ? 'exclusive' : 'shared') : 'permit';
  return {
    kind: isLock ? 'lock' : 'semaphore',
    name: nameOfKey(resource!.slice(1)),
    isHeld,
    party: { ...unknownClient, clientId: id!.split('-')[0]!, how, since: null },
    permits: isLock ? null : Number(waitsFor ?? held),
    token: isHeld ? BigInt(pair.mod_revision) : null,
  };
}

export async function query(keys: Keys, transact: Transact): Promise<ClusterLockSnapshot> {
  return snapshotOf(await read(keys, transact));
}

export async function inspect(
  keys: Keys,
  transact: Transact,
  jobs: Jobs,
): Promise<ClusterInspection> {
  const shown = await read(keys, transact);
  const queues = [];
  for (const name of await queueNames(keys, transact)) {
    queues.push({ name, ...(await jobs.count(name)) });
  }
  return { locks: lockStatesOf(shown), queues };
}

async function queueNames(keys: Keys, transact: Transact): Promise<string[]> {
  const letters = ['f', 'r'] as const;
  const reads = letters.map((letter) => readAll(keys.all(letter), { keys_only: true }));
  const answer = await transact([], reads, []);
  const names = letters.flatMap((letter, part) =>
    pairsOf(answer, part).map((pair) => keyOfPair(pair).slice(keys.all(letter).length)),
  );
  return [...new Set(names.map((key) => nameOfKey(key.split('/')[0]!)))].toSorted();
}
