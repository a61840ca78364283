import { closeSync, openSync } from 'node:fs';
import { unlock, waitForLock } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { play } from './idle.mjs';

await play(import.meta.filename, {
  async(name) {
    const fd = openSync(scratchPath(name), 'a+');
    return { take: () => waitForLock(fd), give: () => unlock(fd), close: () => closeSync(fd) };
  },
});
