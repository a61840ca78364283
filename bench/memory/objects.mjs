// What an object costs to have open: the clock and the scales of every Node contestant of `memory`.
// memory/mp.py does the same.
//
// `open(i)` opens one. Of each step, per object:
//   open-<n>         time to open
//   resident-<n>     what this process's resident memory grew by, the mapped shared memory included
//   shared-<n>       what the file system of the shared memory grew by, names and all
//   descriptors-<n>  file descriptors

import { existsSync, readdirSync, statfsSync } from 'node:fs';

const shm = '/dev/shm';
const descriptors = '/proc/self/fd';

/** Opens that many objects, a step at a time. All of them stay open until the end. */
export function measure(steps, open, close) {
  const figures = {};
  const opened = [];
  for (const n of steps) {
    const before = weigh();
    const start = process.hrtime.bigint();
    try {
      for (let i = 0; i < n; i++) opened.push(open(opened.length));
    } catch (error) {
      // Probably out of descriptors. What has been measured so far counts.
      console.error(`${n} objects: ${error.message}`);
      break;
    }
    figures[`open-${n}`] = [Number(process.hrtime.bigint() - start) / n];
    const after = weigh();
    for (const what of Object.keys(before)) {
      figures[`${what}-${n}`] = [Math.max(0, after[what] - before[what]) / n];
    }
  }
  for (const object of opened) close(object);
  console.log(JSON.stringify(figures));
}

function weigh() {
  globalThis.gc();
  return {
    resident: process.memoryUsage.rss(),
    ...(existsSync(shm) && { shared: sharedBytes() }),
    ...(existsSync(descriptors) && { descriptors: readdirSync(descriptors).length }),
  };
}

function sharedBytes() {
  const { blocks, bfree, bsize } = statfsSync(shm);
  return (blocks - bfree) * bsize;
}
