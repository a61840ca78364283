// Processes are killed at random instants, at any instruction: between taking a token and the swap
// (INV-3), between freeing the word and waking a waiter (INV-6), in the middle of making and
// removing files (INV-8, INV-10). The live ones go on, and see nothing wrong.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Counter,
  Program,
  allKinds,
  forms,
  freshName,
  newProcess,
  objectFiles,
  ownedKinds,
  random,
  scaled,
  semaphoreExists,
  sharedActor,
  temporaryDirectory,
  until,
} from '../support/index.js';

describe('chaos', () => {
  const kills = scaled(25);

  for (const kind of ownedKinds) {
    it(`${kind}: contenders killed at ${kills} random instants`, async function () {
      this.timeout(120_000);
      const { whole, next } = random(`chaos, ${kind}`);
      const name = freshName(kind);
      const witness = await (await sharedActor('thread')).open(kind, { name });
      const inside = new Counter();
      const start = (i: number) =>
        new Program('contender.mjs', { args: [kind, name, forms[i % 2]!, inside.file] });
      const contenders = [0, 1, 2, 3].map(start);
      const all = [...contenders];
      for (let kill = 0; kill < kills; kill++) {
        const victim = whole(0, contenders.length - 1);
        const { pid } = contenders[victim]!;
        await contenders[victim]!.line('ready');
        await sleep(next() * 15);
        await contenders[victim]!.kill();
        contenders[victim] = start(victim);
        all.push(contenders[victim]!);
        // The others go on, whether the dead one was inside or not.
        const { acquisitions } = await witness.inspect();
        await until(
          async () => (await witness.inspect()).acquisitions > acquisitions,
          `somebody gets on after kill ${kill}, of ${pid}`,
        );
      }
      await Promise.all(contenders.map((it) => it.kill()));
      const lines = all.flatMap((it) => it.lines);
      assert.deepEqual(
        lines.filter((line) => line.startsWith('broken')),
        [],
      );
      const told = lines.filter((line) => line.startsWith('abandoned')).length;
      const { acquisitions, abandonments } = await witness.inspect();
      console.log(
        `      ${kills} killed, ${told} of them inside; ${acquisitions} acquisitions in all`,
      );
      assert.ok(told <= kills && abandonments >= told, `${told} told, ${abandonments} counted`);
      const last = await witness.acquire({ timeout: 10_000 });
      assert.equal(inside.read() === 0 || last.abandoned, true);
      await last.release();
      assert.equal((await witness.acquire({ timeout: 10_000 })).abandoned, false);
    });
  }

  it(`names: openers killed at ${kills} random instants leave nothing behind`, async function () {
    this.timeout(120_000);
    const { whole, next } = random('chaos, names');
    const directory = temporaryDirectory();
    const start = () => new Program('opener.mjs', { env: { HOLDFAST_DIR: directory } });
    const openers = [start(), start(), start()];
    for (let kill = 0; kill < kills; kill++) {
      const victim = whole(0, openers.length - 1);
      await openers[victim]!.line('ready');
      await sleep(next() * 15);
      await openers[victim]!.kill();
      openers[victim] = start();
      for (const opener of openers) {
        assert.ok(!opener.hasEnded, `one has failed: ${opener.stderr}`);
      }
    }
    await Promise.all(openers.map((it) => it.kill()));

    // Only objects are left whose holder died. Each keeps that unreported death, and is removed
    // once a guard has told it.
    const other = await newProcess({ env: { HOLDFAST_DIR: directory } });
    for (const { kind, name, inUse } of await other.list()) {
      assert.equal(inUse, false);
      const lock = await other.open(kind, { name });
      const hold = await lock.acquire();
      assert.equal(hold.abandoned, true, name);
      await hold.release();
      await lock.close();
    }
    assert.deepEqual(objectFiles(directory), []);
    for (const kind of allKinds) {
      for (const number of [0, 1]) {
        const object = await other.open(kind, { name: `${kind} ${number}` });
        await object.close();
        if (object.posixName) assert.notEqual(semaphoreExists(object.posixName), true);
      }
    }
    assert.deepEqual(objectFiles(directory), []);
  });
});
