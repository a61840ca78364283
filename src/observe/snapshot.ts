// All objects of the user at one moment, with who holds them and who waits for them. Nothing is
// opened for it, except LockManagers: only an open one says who holds which of its names.
import { statSync } from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../errors.js';
import { type LockInfo, LockManager } from '../locks/lock-manager.js';
import { type ObservedEntry, type Party, list } from '../objects/listing.js';
import { enterDirectory, fileKey } from '../objects/shared.js';

/** One object, or one lock of a LockManager. */
export interface Seen extends ObservedEntry {
  /** Storage that its file takes now. */
  readonly bytes: number;
  /** Of a LockManager: its named locks that are held or waited for. */
  readonly locks?: readonly SeenLock[];
  /** Of an engine: the fencing token of the last grant. */
  readonly token?: string;
}

/** A named lock of a LockManager. */
export interface SeenLock {
  readonly name: string;
  readonly holders: readonly Party[];
  readonly waiters: readonly Party[];
}

/** Who waits for it; of a LockManager, for all of its locks. */
export function waitersOf({ state, locks }: Seen): readonly Party[] {
  return locks ? locks.flatMap((lock) => lock.waiters) : (state?.waiters ?? []);
}

/** How many waits those are. */
export function waitsOf(seen: Seen): number {
  return waitersOf(seen).reduce((sum, { count }) => sum + count, 0);
}

function bytesOf(name: string): number {
  const file = path.join(enterDirectory(), `object.${fileKey(name)}`);
  return 512 * (statSync(file, { throwIfNoEntry: false })?.blocks ?? 0);
}

/** Requests of one thread for one name and in one mode are one party. */
function addParty(parties: Party[], { pid, threadId, processName, mode: how }: LockInfo): void {
  const known = parties.findIndex(
    (party) => party.pid === pid && party.threadId === threadId && party.how === how,
  );
  const count = 1 + (parties[known]?.count ?? 0);
  parties.splice(known < 0 ? parties.length : known, 1, { pid, threadId, processName, how, count });
}

async function locksOf(namespace: string): Promise<SeenLock[]> {
  let manager;
  try {
    manager = new LockManager({ namespace, mustExist: true });
  } catch (error) {
    if (error instanceof HoldfastError) return []; // it went away meanwhile
    throw error;
  }
  try {
    const { held, pending } = await manager.query();
    const byName = new Map<string, { name: string; holders: Party[]; waiters: Party[] }>();
    const of = (name: string) => {
      if (!byName.has(name)) byName.set(name, { name, holders: [], waiters: [] });
      return byName.get(name)!;
    };
    for (const info of held) addParty(of(info.name).holders, info);
    for (const info of pending) addParty(of(info.name).waiters, info);
    return [...byName.values()];
  } finally {
    manager.close();
  }
}

/** Does not block the event loop, except while another process has the directory locked. */
export async function snapshot(): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const entry of list({ state: true })) {
    const { kind, name, inUse, format } = entry;
    const hasLocks = kind === 'LockManager' && inUse && format === undefined;
    const locks = hasLocks ? await locksOf(name) : undefined;
    seen.push({ ...entry, bytes: bytesOf(name), ...(locks && { locks }) });
  }
  return seen.toSorted((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name));
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
