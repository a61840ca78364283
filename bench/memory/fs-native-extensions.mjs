import { closeSync, openSync, unlinkSync } from 'node:fs';
import { tryLock, unlock } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { measure } from './objects.mjs';

const steps = process.argv.slice(2).map(Number);

measure(
  steps,
  (i) => {
    const path = scratchPath(`bench-${process.pid}-${i}`);
    const fd = openSync(path, 'a+');
    // A lock that was never taken is only a file.
    tryLock(fd);
    unlock(fd);
    return { fd, path };
  },
  ({ fd, path }) => {
    closeSync(fd);
    unlinkSync(path);
  },
);
