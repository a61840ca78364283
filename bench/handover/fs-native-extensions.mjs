import { closeSync, openSync } from 'node:fs';
import { unlock, waitForLock, waitForLockSync } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

function files(name) {
  const paths = [0, 1, 2].map((i) => scratchPath(`${name}-${i}`));
  return paths.map((path) => openSync(path, 'a+'));
}

await play(import.meta.filename, {
  sync(side, name) {
    const fds = files(name);
    return ring(side, {
      sync: true,
      take: (i) => waitForLockSync(fds[i]),
      give: (i) => unlock(fds[i]),
      close: () => fds.forEach((fd) => closeSync(fd)),
    });
  },

  async(side, name) {
    const fds = files(name);
    return ring(side, {
      take: (i) => waitForLock(fds[i]),
      give: (i) => unlock(fds[i]),
      close: () => fds.forEach((fd) => closeSync(fd)),
    });
  },
});
