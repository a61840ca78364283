// Cluster.inspect() on every engine: what tools show.
import assert from 'node:assert/strict';
import os from 'node:os';
import { within } from '../../support/index.js';
import { Holding, counts, hold } from '../hold.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

/** The engines that know which process has a session, and since when it holds. */
const knowProcesses = ['local', 'postgres'];
const knowTimes = ['postgres', 'redis'];

forEachSubject('inspect', (subject) => {
  it('shows holders, waiters, tokens, permits and queues of its namespace', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const stranger = await open(subject);
    const far = await hold(stranger, 'far');
    // Slashes, per cent and the rest of what engines have to escape.
    const name = 'a/b %2F*[x]\\ {y}:';
    const holding = await hold(a, name);
    const token = (await holding.granted)!.token;
    const waiting = new Holding(b, name, { mode: 'shared' });
    while ((await counts(a, name))[1] === 0);
    const permit = await b.semaphore(name, 3).acquire();
    await a.queue(name).putMany([1, 2, 3]);
    const task = await b.queue(name).take();

    const { locks, queues } = await a.inspect();
    assert.deepEqual(queues, [{ name, waiting: 2, taken: 1 }]);
    assert.deepEqual(locks.map(({ kind }) => kind).toSorted(), ['lock', 'semaphore']);
    const lock = locks.find(({ kind }) => kind === 'lock')!;
    const semaphore = locks.find(({ kind }) => kind === 'semaphore')!;
    assert.equal(lock.name, name);
    assert.equal(semaphore.name, name);
    assert.ok(lock.token === null || lock.token === token);
    assert.ok(semaphore.permits === null || semaphore.permits === 3);
    const [holder, waiter] = [lock.holders[0]!, lock.waiters[0]!];
    assert.deepEqual([holder.how, waiter.how], ['exclusive', 'shared']);
    assert.deepEqual([lock.holders.length, lock.waiters.length], [1, 1]);
    assert.deepEqual(
      semaphore.holders.map(({ how }) => how),
      ['permit'],
    );
    const { held } = await a.locks.query();
    assert.equal(held[0]!.clientId, holder.clientId);
    if (knowProcesses.includes(subject.name)) {
      assert.equal(holder.pid, process.pid);
      assert.equal(holder.host, os.hostname());
    }
    if (knowTimes.includes(subject.name)) {
      assert.ok(holder.since! >= waiter.since! && waiter.since! >= 0);
    }
    await task.done();
    await permit.release();
    await holding.release();
    await within(waiting.granted, 'the waiter');
    await waiting.release();
    await far.release();
    for (const rest of await b.queue(name).take({ max: 2 })) await rest.done();
    assert.deepEqual(await a.inspect(), { locks: [], queues: [] });
  });
});
