// No file, descriptor or mapping accumulates. What is held is not collected.
import assert from 'node:assert/strict';
import {
  Program,
  freshName,
  newProcess,
  objectFiles,
  ownedKinds,
  semaphoreExists,
  sharedActor,
  temporaryDirectory,
  waiting,
} from '../support/index.js';

interface Resources {
  files: string[];
  descriptors: number;
  mappings: number;
}

describe('leaks', () => {
  for (const [title, rounds, nodeArgs, how] of [
    ['10,000 times opened and closed', 10_000, [], 'close'],
    ['2,000 objects dropped and collected', 2000, ['--expose-gc'], 'gc'],
  ] as const) {
    it(title, async function () {
      this.timeout(120_000);
      const directory = temporaryDirectory();
      const began = performance.now();
      const program = new Program('churn.mjs', {
        args: [how, String(rounds)],
        env: {
          HOLDFAST_DIR: directory,
          NODE_OPTIONS: nodeArgs.join(' '),
        },
      });
      const line = await program.line('{', 100_000);
      const { before, after } = JSON.parse(line) as Record<'before' | 'after', Resources>;
      await program.end();
      assert.deepEqual(after, before);
      assert.equal(
        before.files.length,
        4,
        'registry, doorbell, and the object with its spare name',
      );
      assert.deepEqual(objectFiles(directory), []);
      console.log(
        `      ${before.descriptors} descriptors, ${before.mappings} mappings of ours; ` +
          `${(performance.now() - began).toFixed(0)} ms`,
      );
    });
  }

  for (const kind of ownedKinds) {
    it(`${kind}: held and waited for through objects that were collected`, async () => {
      const [held, wanted] = [freshName('held'), freshName('wanted')];
      const here = await sharedActor('thread');
      const [theirs, ours] = [
        await here.open(kind, { name: held }),
        await here.open(kind, { name: wanted }),
      ];
      const hold = await ours.acquire();
      const program = new Program('dropped.mjs', {
        args: [kind, held, wanted],
        env: {
          NODE_OPTIONS: '--expose-gc',
        },
      });
      // Two objects are collected: the lock and the guard that were dropped. The lock that is
      // waited for is kept.
      assert.equal(await program.line('collected'), 'collected 2');
      if (kind === 'RLock') assert.equal(await program.line('depth'), 'depth 2');
      assert.equal(await theirs.tryAcquire(), null);
      assert.equal((await theirs.inspect()).owner?.pid, program.pid);
      await waiting(ours);
      await hold.release();
      await program.line('acquired');
      await program.end();
      // The lock is held until the thread ends, and then it is abandoned.
      assert.equal((await theirs.acquire()).abandoned, true);
      assert.equal((await ours.acquire()).abandoned, true);
    });
  }

  it('a thousand objects are open at once, and all are gone afterwards', async () => {
    const directory = temporaryDirectory();
    const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
    const objects = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => actor.open('Lock', { name: `n${i}` })),
    );
    assert.equal(objectFiles(directory).length, 1000);
    assert.equal((await actor.list()).length, 1000);
    for (const object of objects) await object.close();
    assert.deepEqual(objectFiles(directory), []);
    for (const { posixName } of objects) assert.notEqual(semaphoreExists(posixName), true);
  });
});
