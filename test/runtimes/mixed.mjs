// Two runtimes share a directory: this one is on glibc, the other one on musl. Each C library has
// its own layout of semaphores and mutexes, so what one has open the other one is refused, by name.
//
//   <runtime> mixed.mjs     HOLDFAST_SMOKE_COMMAND is the command of the other runtime
//
// The last line is `N passed, N failed`.
import process from 'node:process';
import { Event, list, Lock, Queue, RLock, Semaphore, SharedMemory } from 'holdfast';
import { endActors, inProcess } from './actors.mjs';
import { equal, ok } from './expect.mjs';

const made = [
  (name) => new Lock({ name }),
  (name) => new RLock({ name }),
  (name) => new Semaphore(1, { name }),
  (name) => new Event({ name }),
  (name) => new Queue({ name }),
  (name) => new SharedMemory(8, { name }),
];

const watchdog = setTimeout(() => {
  console.error('FAILED: no end after a minute');
  process.exit(1);
}, 60_000);

async function isRefused(object, kind) {
  const other = inProcess('open', object.toJSON());
  const answer = await other.says();
  ok(answer.startsWith('IncompatibleError'), answer);
  ok(answer.includes('glibc') && answer.includes('musl'), answer);
  await other.ended;
  equal(list().filter((entry) => entry.kind === kind && entry.inUse).length, 1);
}

let failed = 0;
for (const make of made) {
  const object = make(`mixed ${made.indexOf(make)}`);
  const { holdfast: kind } = object.toJSON();
  try {
    await isRefused(object, kind);
    console.log(`ok ${kind} is refused by the other C library`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${kind}: ${error.stack ?? error}`);
  }
  object.close();
}
await endActors();
clearTimeout(watchdog);
console.log(`${made.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
