import { connect, lockOf, serve } from '../redis.mjs';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

await play(import.meta.filename, {
  async async(side, name) {
    const stop = side === 0 ? await serve(name) : undefined;
    const redis = await connect(name);
    const locks = [0, 1, 2].map((i) => lockOf(redis, `lock-${i}`));
    return ring(side, {
      take: (i) => locks[i].acquire(),
      // pass() does not wait for the answer, because a holder that is done would not. close() does.
      give: (i) => locks[i].release(),
      async close() {
        redis.disconnect();
        await stop?.();
      },
    });
  },
});
