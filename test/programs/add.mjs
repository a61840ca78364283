import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/**
 * Adds 1 to a number in a file, in two steps. If another thread adds in between, its addition is
 * lost. Every `pause` rounds it gives its thread to other code while it is inside.
 */
export async function add(object, form, rounds, file, pause = 0) {
  const fd = openSync(file, 'r+');
  const cell = new Uint32Array(1);
  try {
    for (let round = 1; round <= rounds; round++) {
      const guard = form === 'sync' ? object.acquireSync() : await object.acquire();
      readSync(fd, cell, 0, 4, 0);
      cell[0]++;
      if (pause !== 0 && round % pause === 0) await turn();
      writeSync(fd, cell, 0, 4, 0);
      (guard ?? object).release();
    }
  } finally {
    closeSync(fd);
  }
}
