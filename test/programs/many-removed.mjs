// Holds many locks. Another program removes the file of one of them: the own looks of the thread
// notice it. Prints how many warnings there were, after how many looks, and the name of the lock's
// semaphore, which stays.
import { rmSync } from 'node:fs';
import { Lock } from 'holdfast';
import { addon } from '../../lib/native/load.js';
import { objectKey } from './object-key.mjs';

let looks = 0;
const { lookAtHeld } = addon;
addon.lookAtHeld = () => (looks++, lookAtHeld());

const warnings = [];
process.on('warning', ({ message }) => warnings.push(message));

const count = 100;
const names = Array.from({ length: count }, (_, i) => `many removed ${process.pid} ${i}`);
const locks = names.map((name) => new Lock({ name }));
const guards = locks.map((lock) => lock.acquireSync());
const slices = (n) => new Promise((resolve) => setTimeout(resolve, n * 50));
await slices(20);
const middle = count / 2;
const { posixName } = locks[middle];
const key = objectKey(names[middle]);
for (const part of ['object', 'spare']) {
  rmSync(`${process.env.HOLDFAST_DIR}/${part}.${key}`, { force: true });
}
const before = looks;
const until = before + 2 * Math.ceil(count / 16);
while (warnings.length === 0 && looks <= until) await slices(1);
console.log(JSON.stringify([warnings.length, looks - before, posixName]));
for (const guard of guards) guard.release();
for (const lock of locks) lock.close();
