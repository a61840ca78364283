// Drops guards and collects garbage. Prints how many were lost, the warnings, and the channel's
// events.
import { subscribe } from 'node:diagnostics_channel';
import { BoundedSemaphore, Lock, RLock, ReadWriteLock, lostGuards } from 'holdfast';

const [scenario] = process.argv.slice(2);
const told = [];
const events = [];
process.on('warning', ({ message, code, detail }) => told.push({ message, code, detail }));
subscribe('holdfast.acquire', ({ event }) => events.push(event));

const name = `lost ${process.pid}`;
const lock = {
  BoundedSemaphore: () => new BoundedSemaphore(2, { name }),
  'beside a living guard': () => new BoundedSemaphore(3, { name }),
  ReadWriteLock: () => new ReadWriteLock({ name }),
  RLock: () => new RLock({ name }),
  'released inside of another hold': () => new RLock({ name }),
};
const object = (lock[scenario] ?? (() => new Lock({ name })))();

let kept;
/** Two guards are released, and others acquired in their place: one is kept, and one lost. */
function keepAndLose() {
  const first = object.acquireSync();
  object.acquireSync().release();
  const second = object.acquireSync();
  first.release();
  second.release();
  kept = object.acquireSync();
  object.acquireSync();
}

/** In a function of its own, so that no register keeps the guard. */
function lose() {
  if (scenario === 'beside a living guard') keepAndLose();
  else if (scenario === 'ReadWriteLock') object.acquireExclusiveSync();
  else if (scenario === 'BoundedSemaphore') [object.acquireSync(), object.acquireSync()].at(0);
  else if (scenario === 'by name') {
    object.acquireSync();
    object.release();
    object.acquireSync();
  } else if (scenario === 'released') for (let i = 0; i < 1000; i++) object.acquireSync().release();
  else object.acquireSync();
}

if (scenario === 'released inside of another hold') kept = object.acquireSync();
lose();
const isExpected = !scenario.startsWith('released') && scenario !== 'by name';
const enough = scenario === 'BoundedSemaphore' ? 2 : 1;
const begun = performance.now();
const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
if (scenario.startsWith('released ')) object.release();
if (scenario === 'released and closed') object.close();
if (scenario === 'released and held again') kept = object.acquireSync();
do {
  await turn();
  globalThis.gc();
} while (isExpected ? lostGuards() < enough : performance.now() - begun < 400);
await turn();
kept?.release();
console.log(JSON.stringify({ lost: lostGuards(), told, events }));
process.exit(); // what was lost is held
