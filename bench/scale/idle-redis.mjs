import { connect, lockOf, serve } from '../redis.mjs';
import { play } from './idle.mjs';

await play(import.meta.filename, {
  async async(name, isFirst = false) {
    const stop = isFirst ? await serve(name) : undefined;
    const redis = await connect(name);
    const { acquire, release } = lockOf(redis, 'lock');
    return {
      take: acquire,
      give: release,
      async close() {
        redis.disconnect();
        await stop?.();
      },
    };
  },
});
