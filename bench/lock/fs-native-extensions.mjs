import { openSync } from 'node:fs';
import { tryLock, unlock, waitForLock } from 'fs-native-extensions';
import { scratchFile } from '../scratch.mjs';
import { report, variant } from './timed.mjs';

const fd = openSync(scratchFile('fs-native-extensions'), 'r+');

const variants = {
  tryLock() {
    return (n) => {
      for (let i = 0; i < n; i++) {
        tryLock(fd);
        unlock(fd);
      }
    };
  },

  waitForLock() {
    return async (n) => {
      for (let i = 0; i < n; i++) {
        await waitForLock(fd);
        unlock(fd);
      }
    };
  },
};

await report(variant(variants)());
