// The fencing pattern of docs/cluster.md, as it stands there, in PostgreSQL.
import assert from 'node:assert/strict';
import pg from 'pg';
import { hold } from '../hold.js';
import { blocksOfPage } from '../page.js';
import { forEachServer, open, openBeside } from '../subjects.js';

forEachServer('the fencing pattern of docs/cluster.md', 'postgres', (subject) => {
  it('takes the writes of the last holder, and refuses those of one that lost its lock', async () => {
    const [create, update] = blocksOfPage('sql');
    const client = new pg.Client(await subject.start());
    client.on('error', () => {});
    const a = await open(subject);
    const b = await openBeside(subject, a);
    try {
      await client.connect();
      await client.query(create!);
      await client.query('insert into account values (7, 0)');
      const write = async (balance: number, token: bigint): Promise<number | null> =>
        (await client.query(update!, [balance, token, 7])).rowCount;
      const victim = await hold(a, 'account:7');
      const late = (await victim.granted)!.token;
      assert.equal(await write(1, late), 1);
      const thief = await hold(b, 'account:7', { steal: true });
      assert.equal(await write(2, (await thief.granted)!.token), 1);
      assert.equal(await write(3, late), 0);
      const { rows } = await client.query('select balance from account');
      assert.deepEqual(rows, [{ balance: 2 }]);
      victim.end();
      await assert.rejects(victim.result);
      await thief.release();
    } finally {
      await client.end();
    }
  });
});
