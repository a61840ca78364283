// Acquires and releases a BoundedSemaphore or a ReadWriteLock, for ever, until it is killed at some
// instruction. Each contender has a cell of the shared memory, which says whether it is inside. At
// each entry it reads the cells of the others, and prints each violation as a line of JSON. The
// test knows which of the others were dead by then.
//
//   shared-contender.mjs <kind> <name> <sync|async> <memory> <cell> <permits>
import { writeSync } from 'node:fs';
import { BoundedSemaphore, ReadWriteLock, SharedMemory } from 'holdfast';
import { now } from './clock.mjs';

const [kind, name, form, memoryName, cell, permits] = process.argv.slice(2);
const memory = new SharedMemory(undefined, { name: memoryName });
const words = new Int32Array(memory.buffer);
/** Before the cells are two numbers. Only writers change them, one after the other. */
const firstCell = 2;
const cells = (words.length - firstCell) / 2;
const mine = firstCell + Number(cell);
/** After the cells come counts: how often each contender has been inside. */
const enter = (who) => {
  Atomics.add(words, mine + cells, 1);
  Atomics.store(words, mine, who);
};
const object =
  kind === 'BoundedSemaphore'
    ? new BoundedSemaphore(Number(permits), { name })
    : new ReadWriteLock({ name });

const say = (what, about) =>
  writeSync(1, `${JSON.stringify({ what, at: now(), pid: process.pid, ...about })}\n`);

function look() {
  const found = [];
  for (let i = firstCell; i < firstCell + cells; i++) {
    const who = Atomics.load(words, i);
    if (who !== 0 && i !== mine) found.push({ who, since: Atomics.load(words, i + cells) });
  }
  return found;
}

/**
 * The others that are inside at one time. Some come and go while the cells are read one by one, so
 * they are read twice.
 */
function others() {
  const [before, after] = [look(), look()];
  return after
    .filter(({ who, since }) => before.some((it) => it.who === who && it.since === since))
    .map(({ who }) => who);
}

async function semaphoreRound() {
  const guard = form === 'sync' ? object.acquireSync() : await object.acquire();
  enter(process.pid);
  const inside = others();
  if (inside.length >= Number(permits)) say('crowded', { inside });
  if (guard.abandoned) say('abandoned');
  Atomics.store(words, mine, 0);
  guard.release();
}

async function writerRound() {
  const guard = form === 'sync' ? object.acquireExclusiveSync() : await object.acquireExclusive();
  enter(-process.pid);
  const inside = others();
  if (inside.length > 0) say('crowded', { inside });
  if (words[0] !== words[1] && !guard.abandoned) say('torn');
  if (guard.abandoned) say('abandoned');
  words[0] = words[0] + 1;
  for (let i = 0; i < 200; i++);
  words[1] = words[0];
  Atomics.store(words, mine, 0);
  guard.release();
}

async function readerRound() {
  const guard = form === 'sync' ? object.acquireSharedSync() : await object.acquireShared();
  enter(process.pid);
  const inside = others().filter((who) => who < 0);
  if (inside.length > 0) say('crowded', { inside: inside.map((who) => -who) });
  if (words[0] !== words[1] && !guard.abandoned) say('torn');
  Atomics.store(words, mine, 0);
  guard.release();
}

say('ready');
for (let round = 0; ; round++) {
  if (kind === 'BoundedSemaphore') await semaphoreRound();
  else if ((round + mine) % 3 === 0) await writerRound();
  else await readerRound();
}
