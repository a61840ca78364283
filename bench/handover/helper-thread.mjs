// The design that most native add-ons choose for an asynchronous wait: a helper thread blocks in
// sem_wait() and calls back into the event loop through a threadsafe function. There is no such
// package to install, so helper-thread/ is a small version of it.

import { createRequire } from 'node:module';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

const require = createRequire(import.meta.url);
const { open } = require('../helper-thread/build/Release/helper_thread.node');

// sem_open() needs a leading slash. When the second side unlinks it, both have it open.
function semaphore(side, label, value) {
  const opened = open(`/hf-${label}`, value);
  if (side === 1) opened.unlink();
  return opened;
}

await play(import.meta.filename, {
  lock(side, name) {
    const semaphores = [0, 1, 2].map((i) => semaphore(side, `${name}-${i}`, 1));
    return ring(side, {
      take: (i) => semaphores[i].wait(),
      give: (i) => semaphores[i].post(),
      close: () => semaphores.forEach((opened) => opened.close()),
    });
  },

  semaphore(side, name) {
    const pair = [0, 1].map((i) => semaphore(side, `${name}-${i}`, 0));
    return {
      turn: () => pair[side].wait(),
      pass: () => pair[1 - side].post(),
      close: () => pair.forEach((opened) => opened.close()),
    };
  },
});
