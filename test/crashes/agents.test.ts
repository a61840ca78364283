// Many JS threads at once. test/hostile/no-space.test.ts tests the limit of 4,096 agents, with
// forged ones.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  Counter,
  freshName,
  newProcess,
  objectFiles,
  sharedActor,
  temporaryDirectory,
  until,
  waiting,
  within,
} from '../support/index.js';

describe('agents', () => {
  const workers = 100;
  const rounds = 20;

  it(`${workers} workers at once wait for a lock, and take turns`, async function () {
    this.timeout(180_000);
    const directory = temporaryDirectory();
    const counter = new Counter();
    const child = await newProcess({ env: { HOLDFAST_DIR: directory } });
    const lock = await child.open('Lock', { name: 'it' });
    const hold = await lock.acquire();
    const began = performance.now();
    const args = { name: 'it', workers, rounds, file: counter.file };
    const crowd = child.startAct<number>('crowd', args);
    // Each of them becomes an agent with a doorbell at its first acquisition.
    const doorbells = () =>
      readdirSync(directory).filter((file) => file.startsWith('bell.')).length;
    await until(() => doorbells() === workers + 1, 'all of them are there', 120_000);
    await waiting(lock, workers);
    const started = performance.now();
    await hold.release();
    assert.equal(await within(crowd, 'their turns', 60_000), workers, 'all were served');
    assert.equal(counter.read(), workers * rounds);
    const { acquisitions, waiters, abandonments } = await lock.inspect();
    assert.deepEqual([acquisitions, waiters, abandonments], [1 + workers * rounds, 0, 0]);
    console.log(
      `      ${workers} workers there after ${(started - began).toFixed(0)} ms, ` +
        `their ${workers * rounds} turns done after ${(performance.now() - started).toFixed(0)} more`,
    );
    await lock.close();
    assert.deepEqual(objectFiles(directory), []);
    assert.equal(doorbells(), 1, 'the slots of all of them are free again');
  });

  // The wait set has 128 entries. A waiter that finds live waiters in all of them looks again after
  // each slice.
  it('a waiter that finds the wait set full has the lock after a slice', async () => {
    const name = freshName();
    const holder = await sharedActor('process', 1);
    const lock = await holder.open('Lock', { name });
    const held = await lock.acquire();
    await holder.act('fillWaitSet', { object: lock, entries: 128 });
    assert.equal(await lock.waiters(), 128);
    const waits = [
      (await (await sharedActor('process', 2)).open('Lock', { name })).acquire(),
      (await (await sharedActor('worker', 1)).open('Lock', { name })).acquire(),
      (await (await sharedActor('worker', 2)).open('Lock', { name })).acquireSync(),
    ];
    await Promise.all(waits.map((wait) => wait.started));
    assert.equal(await lock.waiters(), 128, 'there is no room for them');
    await held.release();
    await Promise.all(waits.map(async (wait) => (await wait).release()));
    assert.equal((await lock.inspect()).acquisitions, 4);
  });
});
