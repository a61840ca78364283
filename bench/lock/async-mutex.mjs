import { Mutex } from 'async-mutex';
import { report } from './timed.mjs';

const mutex = new Mutex();

await report(async (n) => {
  for (let i = 0; i < n; i++) {
    const release = await mutex.acquire();
    release();
  }
});
