import { closeSync, openSync } from 'node:fs';
import { unlock, waitForLock, waitForLockSync } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { play } from './contend.mjs';

const player = (sync) => (name) => {
  const fd = openSync(scratchPath(name), 'a+');
  return {
    sync,
    take: sync ? () => waitForLockSync(fd) : () => waitForLock(fd),
    give: () => unlock(fd),
    close: () => closeSync(fd),
  };
};

await play(import.meta.filename, { sync: player(true), async: player(false) });
