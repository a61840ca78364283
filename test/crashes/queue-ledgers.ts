// The ledgers of producers and consumers of a queue, some of which were killed, and what the
// ledgers prove. programs/actor/acts/queue-ledger.mjs writes them.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export type Role = 'producer' | 'consumer';

/** In a ledger this stands for an item that was not whole. */
const torn = 0xffff_ffff;
/** An entry has two words: producer and sequence. */
const entryLength = 8;

interface Ledger {
  role: Role;
  id: number;
  bytes: Buffer;
}

/** What was delivered, by producer. */
type Taken = Map<number, Set<number>>;

export interface Audit {
  /** Items that put() returned for. */
  items: number;
  deliveries: number;
  /** Put, and in no ledger of a consumer. */
  unaccounted: number;
  /** Delivered, but its producer was killed between put() and its ledger. */
  unrecorded: number;
  /**
   * Delivered after a later one of the same producer. A consumer that was killed while it copied a
   * large item out leaves it to the others, who may have gone on.
   */
  late: number;
  /** What is wrong; an empty list if nothing is. */
  faults: { torn: number; twice: number; madeUp: number; ledger: number };
}

/** Compares the ledgers in a directory: files `producer.<id>` and `consumer.<id>`. */
export function audit(directory: string, killedProducers: ReadonlySet<number>): Audit {
  const faults = { torn: 0, twice: 0, madeUp: 0, ledger: 0 };
  const ledgers = readdirSync(directory).map((file) => {
    const [role, id] = file.split('.') as [Role, string];
    return { role, id: Number(id), bytes: readFileSync(path.join(directory, file)) };
  });
  faults.ledger += ledgers.filter(({ bytes }) => bytes.length % entryLength !== 0).length;
  const put = countPut(ledgers, faults);
  const { taken, deliveries, late } = readTaken(ledgers, faults);
  const result = { items: 0, deliveries, unaccounted: 0, unrecorded: 0, late, faults };
  for (const [producer, count] of put) {
    result.items += count;
    const theirs = taken.get(producer) ?? new Set();
    for (let sequence = 0; sequence < count; sequence++) {
      if (!theirs.has(sequence)) result.unaccounted++;
    }
    for (const sequence of theirs) {
      if (sequence < count) continue;
      if (sequence === count && killedProducers.has(producer)) result.unrecorded++;
      else faults.madeUp++;
    }
  }
  return result;
}

/** By producer: its items 0 to n - 1 have been put. */
function countPut(ledgers: readonly Ledger[], faults: Audit['faults']): Map<number, number> {
  const put = new Map<number, number>();
  for (const { role, id, bytes } of ledgers) {
    if (role !== 'producer') continue;
    for (let at = 0; at < bytes.length; at += entryLength) {
      if (bytes.readUInt32LE(at + 4) !== at / entryLength) faults.ledger++;
    }
    put.set(id, bytes.length / entryLength);
  }
  return put;
}

function readTaken(
  ledgers: readonly Ledger[],
  faults: Audit['faults'],
): { taken: Taken; deliveries: number; late: number } {
  const taken: Taken = new Map();
  let [deliveries, late] = [0, 0];
  for (const { role, bytes } of ledgers) {
    if (role !== 'consumer') continue;
    const last = new Map<number, number>();
    for (let at = 0; at < bytes.length; at += entryLength, deliveries++) {
      const producer = bytes.readUInt32LE(at);
      const sequence = bytes.readUInt32LE(at + 4);
      if (producer === torn) {
        faults.torn++;
        continue;
      }
      const latest = last.get(producer) ?? -1;
      if (sequence < latest) late++;
      last.set(producer, Math.max(sequence, latest));
      let items = taken.get(producer);
      if (!items) taken.set(producer, (items = new Set()));
      if (items.has(sequence)) faults.twice++;
      items.add(sequence);
    }
  }
  return { taken, deliveries, late };
}
