// ReadWriteLock: nobody starves (INV-16), and no crash lets a reader in beside a writer.
import assert from 'node:assert/strict';
import { ContenderReports } from '../../support/contenders.js';
import { Program, forms, freshName, newProcess, random, until } from '../../support/index.js';
import { kind, open, method, assertFree } from './helpers.js';

describe('ReadWriteLock', () => {
  describe('nobody starves', () => {
    for (const [load, wanted] of [
      ['Shared', 'Exclusive'],
      ['Exclusive', 'Shared'],
    ] as const) {
      it(`${wanted === 'Shared' ? 'readers' : 'writers'}, under continuous load of the others`, async () => {
        const name = freshName(kind);
        const lock = open(name);
        const loads = [1, 2, 3].map(
          () => new Program('read-write-load.mjs', { args: [name, `acquire${load}`, '4'] }),
        );
        for (const program of loads) await program.line('ready');
        if (load === 'Shared') await until(() => lock.inspect().readers.length > 1, 'they overlap');
        const there = await (await newProcess()).open(kind, { name });
        const { acquisitions } = lock.inspect();
        for (let round = 0; round < 15; round++) {
          (await lock[`acquire${wanted}`]()).release();
          lock[`acquire${wanted}Sync`]().release();
          await (await there.begin(method(wanted, forms[round % 2]!))).release();
        }
        assert.ok(lock.inspect().acquisitions > acquisitions + 45, 'the load went on meanwhile');
        for (const program of loads) assert.equal(program.hasEnded, false, program.stderr);
        await Promise.all(loads.map((program) => program.kill()));
      });
    }
  });

  it('contenders killed at random instants: never a reader beside a writer, and every half-made change is told', async function () {
    this.timeout(60_000);
    const chance = random('readers and writers under kills');
    const kills = 8;
    const name = freshName(kind);
    const lock = open(name);
    using reports = new ContenderReports(kind, name, 0, kills + 5);
    await reports.killAtRandom(chance, kills, () => lock.inspect().acquisitions);
    reports.assertSound();
    lock.acquireExclusiveSync({ timeout: 10_000 }).release();
    assertFree(lock);
    const { acquisitions, abandonments } = lock.inspect();
    console.log(
      `      ${kills} killed, ${abandonments} of them writing; ${acquisitions} acquisitions`,
    );
  });
});
