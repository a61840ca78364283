// Producers and consumers that keep a ledger. They are killed at any instant, or survive.
//
// A ledger is one file for each process, opened with O_APPEND. A producer appends the number of an
// item when put has returned. A consumer appends each item with one write, right after the get. So
// a kill leaves at most one item in doubt: the one between the queue and the ledger.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { now } from '../../clock.mjs';
import { random } from '../../random.mjs';
import { readStamp, stamped } from '../../stamped.mjs';

/** In a ledger this stands for the producer and the sequence of an item that was not whole. */
const torn = 0xffff_ffff;

/** A longer pause between two items is reported. */
const shortestGapMs = 2;

class Ledger {
  gaps = [];
  until = 0;
  #file;
  #entry = Buffer.alloc(8);

  constructor(file) {
    this.#file = openSync(file, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600);
  }

  note(producer, sequence) {
    this.#entry.writeUInt32LE(producer, 0);
    this.#entry.writeUInt32LE(sequence, 4);
    writeSync(this.#file, this.#entry);
    const at = now();
    if (this.until !== 0 && at - this.until >= shortestGapMs) this.gaps.push(this.until, at);
    this.until = at;
  }

  close() {
    closeSync(this.#file);
    return { gaps: this.gaps, until: this.until };
  }
}

function lengthOf({ next, below }) {
  const kind = next();
  if (kind < 0.7) return below(256);
  if (kind < 0.97) return below(16_384);
  return below(262_144);
}

let stopped = false;

/** Tells produceWithLedger() to end. */
export function stopProducing() {
  stopped = true;
}

/**
 * Puts stamped items until it is stopped. It uses the synchronous and the asynchronous forms in
 * turn, each for a while, because a kill hits them in different places. Resolves to the gaps
 * between its items.
 */
export async function produceWithLedger({ queue, producer, file, seed, isVictim }) {
  const ledger = new Ledger(file);
  const chance = random(seed);
  for (let sequence = 0; !stopped; ) {
    const sync = chance.next() < 0.5;
    for (let n = 0; n < 40 && !stopped; n++, sequence++) {
      const item = stamped(producer, sequence, lengthOf(chance));
      if (sync) queue.putSync(item);
      else await queue.put(item);
      ledger.note(producer, sequence);
      // If producers were faster than their consumers, they would be killed only while they wait.
      if (chance.next() < 0.02) await turn();
    }
    // A turn of the event loop lets the command to stop arrive. A victim puts without a pause, so
    // that a kill hits it in the middle of a put. A survivor pauses, and leaves the processor to
    // the hundreds of processes that start.
    await (isVictim ? turn() : sleep(1));
  }
  return ledger.close();
}

/** Gets until the queue is ended. Resolves to the gaps between its items. */
export async function consumeWithLedger({ queue, file, seed }) {
  const ledger = new Ledger(file);
  const chance = random(seed);
  try {
    for (;;) {
      const sync = chance.next() < 0.5;
      for (let n = 0; n < 40; n++) {
        const stamp = readStamp(sync ? queue.getSync() : await queue.get());
        ledger.note(stamp?.producer ?? torn, stamp?.sequence ?? torn);
      }
      await turn();
    }
  } catch (error) {
    if (error.code !== 'ERR_HOLDFAST_ENDED') throw error;
  }
  return ledger.close();
}
