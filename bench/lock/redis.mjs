import { connect, lockOf, serve } from '../redis.mjs';
import { report } from './timed.mjs';

const name = `bench-${process.pid}`;
const stop = await serve(name);
const redis = await connect(name);
const lock = lockOf(redis, 'lock');

await report(async (n) => {
  for (let i = 0; i < n; i++) {
    await lock.acquire();
    await lock.release();
  }
});

redis.disconnect();
await stop();
