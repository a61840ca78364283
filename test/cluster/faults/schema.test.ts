// A schema of the version before, with all that is in it, is upgraded in place.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { within } from '../../support/index.js';
import { forEachServer, open, openAt } from '../subjects.js';

/** As that version printed it. */
const schema1 = readFileSync(path.join(import.meta.dirname, '../servers/schema-1.sql'), 'utf8');

forEachServer('the schema', 'postgres', (subject) => {
  it('of version 1 is upgraded while a session of that version lives', async () => {
    const url = new URL(await subject.start());
    await (await open(subject)).close();
    const admin = new pg.Client(url.href);
    await admin.connect();
    await admin.query('create database before');
    await admin.end();
    url.pathname = '/before';
    const old = new pg.Client(url.href);
    await old.connect();
    await old.query(`begin; ${schema1} commit`);
    const result = async (call: string): Promise<Record<string, unknown>> =>
      (await old.query(`select * from holdfast.${call}`)).rows[0] as Record<string, unknown>;
    const { open_session: id } = await result("open_session('it', 20000, false)");
    const ask = (request: number, name: string): Promise<Record<string, unknown>> => {
      const key = `'it', 'l', '${name}', '${name}'`;
      return result(`ask(${key}, ${Number(id)}, ${request}, true, null, false, false)`);
    };
    const finish = (request: number, name: string): Promise<unknown> =>
      result(`finish('it', 'l', '${name}', ${Number(id)}, ${request})`);
    assert.equal((await ask(1, 'held'))['answer'], 'g');
    await result("put('it', 'jobs', array['1', '2'])");

    const all = await Promise.all([1, 2, 3].map(() => openAt(url.href, { namespace: 'it' })));
    const { rows } = await old.query('select version from holdfast.meta');
    assert.deepEqual(rows, [{ version: 2 }]);
    const [a] = all;
    const { locks, queues } = await a!.inspect();
    assert.deepEqual([locks[0]!.name, locks[0]!.holders[0]!.clientId], ['held', String(id)]);
    assert.deepEqual(queues, [{ name: 'jobs', waiting: 2, taken: 0 }]);
    // The old session goes on with what it knows.
    const waiting = a!.locks.request('held', (lock) => lock!.token);
    while ((await a!.locks.query()).pending.length === 0);
    assert.equal((await ask(2, 'other'))['answer'], 'g');
    assert.equal((await ask(3, 'held'))['answer'], 'w');
    await finish(1, 'held');
    assert.equal(typeof (await within(waiting, 'the hand-over')), 'bigint');
    const task = await a!.queue('jobs').take();
    assert.equal(task.value, 1);
    await task.done();
    await old.end();
  });
});
