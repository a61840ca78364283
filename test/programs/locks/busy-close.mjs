// The table is busy when a lock is released, and its object is closed right after that. Another
// wait goes on meanwhile, so the thread looks for deadlocks. Prints how the wait ended, and whether
// the lock is free for another object.
import { Lock, LockManager } from 'holdfast';

const load = (module) =>
  import(new URL(`../../../lib/native/${module}.js`, import.meta.url)).then(
    (loaded) => loaded.default,
  );
const { addon } = await load('load');
const { requestStatus } = await load('enums');
const { end } = addon.LockManager;
let calls = 0;
addon.LockManager.end = (...args) => (++calls <= 5 ? requestStatus.busy : end(...args));

const [namespace] = process.argv.slice(2);
const manager = new LockManager({ namespace });
await manager.request('a lock', () => {});
manager.close();

const lock = new Lock();
const guard = lock.acquireSync();
const wait = await lock.acquire({ timeout: 400 }).catch(({ name }) => name);
guard.release();
lock.close();

const other = new LockManager({ namespace });
const again = await other.request('a lock', { ifAvailable: true }, (held) => held?.name);
other.close();
console.log(JSON.stringify([wait, again, calls > 5]));
