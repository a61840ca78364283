// The first open of a process, after another one was killed that had LOCKS locks open.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Lock } from '../holdfast.mjs';
import { tell } from '../tell.mjs';

const LOCKS = 5000;

if (process.argv[2] === 'killed') {
  // Referred to, so that none is collected.
  const locks = Array.from({ length: LOCKS }, () => new Lock());
  await tell(locks.length);
  await new Promise(() => {});
}

const other = fork(import.meta.filename, ['killed']);
await once(other, 'message');
const gone = once(other, 'exit');
other.kill('SIGKILL');
await gone;

const start = process.hrtime.bigint();
const lock = new Lock();
const took = Number(process.hrtime.bigint() - start);
lock.close();
console.log(JSON.stringify({ first: [took] }));
