// A producer or consumer that keeps a ledger and is killed, or survives, in the kill suite.
//   queue-victim.mjs <producer|consumer> <queue> <id> <directory> <first|survivor|victim> <seed>
//
// A ledger is one file for each process, opened O_APPEND. A producer appends an item's number when put has
// returned; a consumer appends what it took with one write right after the get. What a kill leaves
// open is at most one item: the one between the queue and the ledger.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Queue } from 'holdfast';
import { nowMs, randomFrom, readStamp, stamped } from './queue-agent.mjs';

const [role, name, idText, directory, kind, seed] = process.argv.slice(2);
const id = Number(idText);
const random = randomFrom(Number(seed));
const queue = new Queue({ name, mustExist: true });
const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY;
const ledger = openSync(path.join(directory, `${role}.${id}`), flags, 0o600);

/** Times without progress that lasted longer than this are reported by survivors. */
const shortestGapMs = 2;
const gaps = [];
let lastAt = 0;
function progress() {
  const at = nowMs();
  if (lastAt !== 0 && at - lastAt >= shortestGapMs) gaps.push(lastAt, at);
  lastAt = at;
}

function lengthOf() {
  const kind = random();
  if (kind < 0.7) return Math.floor(random() * 256);
  if (kind < 0.97) return Math.floor(random() * 16_384);
  return Math.floor(random() * 262_144);
}

const entry = Buffer.alloc(8);
function note(producer, sequence) {
  entry.writeUInt32LE(producer, 0);
  entry.writeUInt32LE(sequence, 4);
  writeSync(ledger, entry);
}

let stop = false;
process.on('message', (message) => (stop ||= message === 'stop'));
// So that the message above is seen: nothing else here leaves the thread.
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const breathe = () => new Promise((resolve) => setImmediate(resolve));

// Sync and async forms take turns, each for a while: they are killed in different places.
async function produce() {
  for (let sequence = 0; !stop; ) {
    const sync = random() < 0.5;
    for (let n = 0; n < 40 && !stop; n++, sequence++) {
      const item = stamped(id, sequence, lengthOf());
      if (sync) queue.putSync(item);
      else await queue.put(item);
      note(id, sequence);
      progress();
      // A producer that outran its consumers would only ever be killed while it waits.
      if (random() < 0.02) await breathe();
    }
    // Victims go flat out, and are killed in the middle of it. Survivors leave the processor to those who
    // start: 500 processes have to.
    await (kind === 'survivor' ? pause(1) : breathe());
  }
}

const torn = 0xffff_ffff;
async function consume() {
  for (;;) {
    const sync = random() < 0.5;
    for (let n = 0; n < 40; n++) {
      const item = sync ? queue.getSync() : await queue.get();
      const stamp = readStamp(item);
      note(stamp?.producer ?? torn, stamp?.sequence ?? torn);
      progress();
    }
    await breathe();
  }
}

process.send('ready');
try {
  await (role === 'producer' ? produce() : consume());
} catch (error) {
  if (error.code !== 'ERR_HOLDFAST_ENDED') throw error;
}
closeSync(ledger);
queue.close();
// Disconnecting throws away what has not been written yet.
if (kind === 'survivor') await new Promise((sent) => process.send({ gaps, until: lastAt }, sent));
if (process.connected) process.disconnect();
