// child_process.fork of a file that sends one message: the least that a Node child can be.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const [imports, starts] =
  process.argv.length > 3 ? ['-imports', process.argv[3]] : ['', process.argv[2]];
const start = [];
for (let i = 0; i <= Number(starts); i++) {
  const began = process.hrtime.bigint();
  const child = fork(join(import.meta.dirname, `child${imports}.mjs`));
  const ended = once(child, 'exit');
  const [ran] = await once(child, 'message');
  await ended;
  if (i > 0) start.push(Number(BigInt(ran) - began));
}
console.log(JSON.stringify({ start }));
