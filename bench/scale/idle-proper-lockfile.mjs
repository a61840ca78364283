import { writeFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { scratchPath } from '../scratch.mjs';
import { play } from './idle.mjs';

// As in `handover`: the more often it polls, the sooner it has the lock, and the more a wait costs.
const retries = { forever: true, retries: 1, minTimeout: 1, maxTimeout: 1 };

await play(import.meta.filename, {
  async(name, isFirst = false) {
    const path = scratchPath(name);
    if (isFirst) writeFileSync(path, '');
    let release;
    return {
      async take() {
        release = await lockfile.lock(path, { retries });
      },
      give: () => release(),
      close() {},
    };
  },
});
