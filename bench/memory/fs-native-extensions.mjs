import { closeSync, openSync } from 'node:fs';
import { tryLock, unlock } from 'fs-native-extensions';
import { scratchPath } from '../scratch.mjs';
import { measure } from './objects.mjs';

const steps = process.argv.slice(2).map(Number);

measure(
  steps,
  (i) => {
    const fd = openSync(scratchPath(`bench-${process.pid}-${i}`), 'a+');
    // A lock that was never taken is only a file.
    tryLock(fd);
    unlock(fd);
    return fd;
  },
  (fd) => closeSync(fd),
);
