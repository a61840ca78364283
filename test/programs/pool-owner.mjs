// A program with a Pool that kills itself at one of its accesses to what it shares with its
// workers. Prints how many accesses there were if it comes to its end. Arguments: the name of the
// Pool, and the number of the access; 0 for none. The test's side is test/support/pool-owner.ts.
import { Pool } from 'holdfast';
import { Page, WorkerPage } from '../../lib/pool/page.js';
import { Queue } from '../../lib/objects/queue.js';
import { Process } from '../../lib/process/process.js';
import { say } from './process-program.mjs';

const [name, fatal] = [process.argv[2], Number(process.argv[3])];
const module = new URL('pool-targets.mjs', import.meta.url);
const target = (fn) => ({ module, export: fn });
let passed = 0;

function pass() {
  if (++passed === fatal) process.kill(process.pid, 'SIGKILL');
}

/** It dies before or after each call of these functions. */
function arm(object, names) {
  for (const key of names) {
    const access = object[key];
    object[key] = function (...args) {
      pass();
      const result = access.apply(this, args);
      pass();
      return result;
    };
  }
}

arm(Atomics, ['load', 'store', 'compareExchange']);
arm(Queue.prototype, ['tryPut', 'putMany', 'tryGetMany', 'getMany', 'end', 'close']);
arm(Page, ['make']);
arm(Page.prototype, ['tell']);
arm(WorkerPage.prototype, ['clear']);
arm(Process.prototype, ['start', 'kill']);

const pool = new Pool({ processes: 2, name, execArgv: [] });
const abort = new AbortController();
const withdrawn = pool
  .run(target('later'), 60_000, { signal: abort.signal })
  .catch(() => 'aborted');
await Promise.all([
  pool.map(target('square'), [1, 2, 3]),
  pool.run(target('echo'), Buffer.alloc(20_000)),
  pool.run(target('makesQueue'), 'item').then((queue) => queue.close()),
]);
const lost = pool.run(target('kills')).catch(() => 'lost');
abort.abort();
await Promise.all([withdrawn, lost, pool.run(target('square'), 4)]);
await pool.close();
say(passed);
