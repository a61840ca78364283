import { writeFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { scratchPath } from '../scratch.mjs';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

// It can only poll. Once a millisecond is as often as its timer allows. By default it does not
// retry at all.
const retries = { forever: true, retries: 1, minTimeout: 1, maxTimeout: 1 };

await play(import.meta.filename, {
  async(side, name) {
    const paths = [0, 1, 2].map((i) => scratchPath(`${name}-${i}`));
    if (side === 0) for (const path of paths) writeFileSync(path, '');
    const held = [];
    return ring(side, {
      async take(i) {
        held[i] = await lockfile.lock(paths[i], { retries });
      },
      // pass() does not wait for it, because a holder that is done would not. close() does.
      give: (i) => held[i](),
    });
  },
});
