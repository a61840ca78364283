// process.send of Node, in its two serializations. Its backlog has no limit. So the producer waits
// until the last message of a window has been written, which costs next to nothing. Otherwise 64
// KiB Buffers as JSON would fill the memory.

import { play, receiver } from './stream.mjs';

const WINDOW_BYTES = 1 << 20;
const WINDOW = 1000;

function first(_name, child) {
  return {
    async put(n, item) {
      const bytes = Buffer.isBuffer(item) ? item.length : 1;
      const window = Math.min(WINDOW, WINDOW_BYTES / bytes);
      for (let i = 1; i <= n; i++) {
        if (i % window !== 0) child.send(item);
        else await new Promise((resolve) => child.send(item, resolve));
      }
    },
    exchange(n, item) {
      let left = n;
      return new Promise((resolve) => {
        child.on('message', function next() {
          if (--left > 0) return child.send(item);
          child.off('message', next);
          resolve();
        });
        child.send(item);
      });
    },
    close() {},
  };
}

function second() {
  const echoes = process.argv[3] === 'roundTrip';
  const receive = receiver(process, echoes ? (message) => process.send(message) : undefined);
  return { take: receive, echo: receive, close() {} };
}

await play(import.meta.filename, {
  json: { serialization: 'json', first, second },
  advanced: { serialization: 'advanced', first, second },
});
