// Counts how often the garbage collector is asked to watch something, while locks are acquired and
// released in each way. To ask it costs several times what an acquisition does.
import assert from 'node:assert/strict';

let registered = 0;
const { register } = FinalizationRegistry.prototype;
FinalizationRegistry.prototype.register = function count(...args) {
  registered++;
  return register.apply(this, args);
};
const { BoundedSemaphore, Condition, Lock, RLock, TimeoutError } = await import('holdfast');

const lock = new Lock();
const rlock = new RLock();
const semaphore = new BoundedSemaphore(4);
const condition = new Condition(lock);
const many = Array.from({ length: 8 }, () => new Lock());
const objects = [lock, rlock, semaphore, condition, ...many];

const ways = {
  'guard.release()': () => lock.acquireSync().release(),
  'lock.release()': () => {
    lock.acquireSync();
    lock.release();
  },
  'await, lock.release()': async () => {
    await lock.acquire();
    lock.release();
  },
  'rlock.release(), nested': () => {
    for (let depth = 0; depth < 3; depth++) rlock.acquireSync();
    for (let depth = 0; depth < 3; depth++) rlock.release();
  },
  'await, rlock.release()': async () => {
    await rlock.acquire();
    await rlock.acquire();
    rlock.release();
    rlock.release();
  },
  'semaphore.release()': () => {
    for (let permit = 0; permit < 4; permit++) semaphore.acquireSync();
    for (let permit = 0; permit < 4; permit++) semaphore.release();
  },
  'several at once': () => {
    for (const one of many) one.acquireSync();
    for (const one of many) one.release();
  },
  'a guard beside a release by name': () => {
    const guard = semaphore.acquireSync();
    lock.acquireSync();
    lock.release();
    guard.release();
  },
  'condition.waitSync()': () => {
    condition.acquireSync();
    assert.throws(() => condition.waitSync({ timeout: 0 }), TimeoutError);
    condition.release();
  },
  'await condition.wait()': async () => {
    const guard = await condition.acquire();
    await assert.rejects(condition.wait({ timeout: 0 }), TimeoutError);
    guard.release();
  },
};

for (const [way, play] of Object.entries(ways)) {
  const before = registered;
  for (let i = 0; i < 200; i++) await play();
  console.log(JSON.stringify([way, registered - before]));
}
for (const object of objects) object.close();
