// Acquires and releases a lock, for ever, until it is killed at some instruction. While it is
// inside, the witness file says so. If the file names another contender at that time, that one must
// have died, and the guard must say so. Prints a line for each violation, and one for each
// abandoned lock.
import { openSync, readSync, writeSync } from 'node:fs';
import { Lock, RLock } from 'holdfast';

const [kind, name, form, file] = process.argv.slice(2);
const lock = kind === 'RLock' ? new RLock({ name }) : new Lock({ name });
const fd = openSync(file, 'r+');
const cell = new Uint32Array(1);
const say = (line) => writeSync(1, `${line}\n`);

const read = () => (readSync(fd, cell, 0, 4, 0), cell[0]);
const write = (value) => {
  cell[0] = value;
  writeSync(fd, cell, 0, 4, 0);
};

say('ready');
for (let round = 0; ; round++) {
  const guard = form === 'sync' ? lock.acquireSync() : await lock.acquire();
  const found = read();
  if (found !== 0 && !guard.abandoned)
    say(`broken: ${found} is inside, and nobody said that it died`);
  if (guard.abandoned) say(`abandoned by ${found}`);
  write(process.pid);
  if (kind === 'RLock' && round % 3 === 0) lock.acquireSync().release();
  if (read() !== process.pid) say(`broken: ${cell[0]} came in`);
  write(0);
  guard.release();
}
