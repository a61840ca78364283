import lockfile from 'proper-lockfile';
import { scratchFile } from '../scratch.mjs';
import { report } from './timed.mjs';

// On tmpfs if there is one, which is its best case.
const file = scratchFile('proper-lockfile');

await report(async (n) => {
  for (let i = 0; i < n; i++) {
    const release = await lockfile.lock(file);
    await release();
  }
});
