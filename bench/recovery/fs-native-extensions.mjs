import { closeSync, openSync } from 'node:fs';
import { tryLock, unlock, waitForLock, waitForLockSync } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { play } from './kill.mjs';

const player = (sync) => (name) => {
  const fd = openSync(scratchPath(name), 'a+');
  return {
    sync,
    hold() {
      if (!tryLock(fd)) throw new Error('somebody else has it');
    },
    wait: () => (sync ? waitForLockSync(fd) : waitForLock(fd)),
    again: () => unlock(fd),
    close: () => closeSync(fd),
  };
};

await play(import.meta.filename, { sync: player(true), async: player(false) });
