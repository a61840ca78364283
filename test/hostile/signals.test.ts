// Signals that the kernel sends for a system call of this package: a write to a doorbell that has
// no reader any more, and a file that would pass the limit of its length.
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import {
  allKinds,
  assertRejects,
  newProcess,
  objectFiles,
  platform,
  reserveCall,
  semaphoreFile,
  temporaryDirectory,
} from '../support/index.js';

/**
 * Node ignores both signals from its start. When a listener has been added and removed, they kill.
 */
const dispositions = [
  { title: 'as Node leaves it', listened: false },
  { title: 'once listened to', listened: true },
];

for (const { title, listened } of dispositions) {
  describe(`signals of the kernel, ${title}`, () => {
    for (const kind of allKinds) {
      it(`SIGPIPE: a release outlives the waiter that it wakes: ${kind}`, async () => {
        const env = { HOLDFAST_DIR: temporaryDirectory() };
        const [holder, waiter] = await Promise.all([newProcess({ env }), newProcess({ env })]);
        if (listened) await holder.act('takeListenerAway', { signal: 'SIGPIPE' });
        const ours = await holder.open(kind, { name: 'it' }, 1);
        const theirs = await waiter.open(kind, { name: 'it' }, 1);
        // The first wake-up opens the writing end of the doorbell, and that end stays open.
        for (const isKilled of [false, true]) {
          const hold = await ours.acquire();
          const wait = theirs.acquire();
          await wait.started;
          if (isKilled) await waiter.kill();
          await hold.release();
          if (!isKilled) await (await wait).release();
        }
        await (await ours.acquire()).release();
        assert.equal(holder.isGone, false);
      });
    }

    // ulimit -f counts blocks of 512 bytes.
    const limits = [
      { blocks: 0, what: 'no byte', opens: [] },
      { blocks: 100, what: 'less than the registry', opens: [] },
      { blocks: 600, what: 'the registry and no queue', opens: ['Lock'] },
    ];
    for (const { blocks, what, opens } of limits) {
      it(`SIGXFSZ: files may have ${what}: NoSpaceError`, async () => {
        const directory = temporaryDirectory();
        const wrapper = ['sh', '-c', `ulimit -f ${blocks}; exec "$@"`, 'sh'];
        const actor = await newProcess({ env: { HOLDFAST_DIR: directory }, wrapper });
        if (listened) await actor.act('takeListenerAway', { signal: 'SIGXFSZ' });
        const about = { errno: 'EFBIG', syscall: `${reserveCall}|ftruncate` };
        for (const kind of opens) await actor.make(kind, { name: kind });
        const made = actor.make('Queue', { name: 'it' });
        await assertRejects(made, 'NoSpaceError', { kind: 'Queue', objectName: 'it', ...about });
        await assert.rejects(made, /raise the limit \(ulimit -f\)/);
        if (opens.length === 0) {
          await assertRejects(actor.open('Lock', { name: 'it' }), 'NoSpaceError', about);
          assert.deepEqual(readdirSync(directory), []);
        }
        assert.equal(objectFiles(directory).length, opens.length, 'nothing is left of the others');
      });
    }

    it('SIGXFSZ: the file of a semaphore may have no byte: NoSpaceError', async function () {
      if (process.platform !== 'linux' || platform === 'darwin') this.skip(); // it is no file there
      const env = { HOLDFAST_DIR: temporaryDirectory() };
      const other = await newProcess({ env });
      // Registry and object are there, so the semaphore is the only file that has to be made.
      const lock = await other.open('Lock', { name: 'it', persistent: true });
      await lock.close();
      rmSync(semaphoreFile(lock.posixName)!);
      const wrapper = ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh'];
      const actor = await newProcess({ env, wrapper });
      if (listened) await actor.act('takeListenerAway', { signal: 'SIGXFSZ' });
      const about = { kind: 'Lock', objectName: 'it', errno: 'EFBIG', syscall: 'sem_open' };
      await assertRejects(actor.open('Lock', { name: 'it' }), 'NoSpaceError', about);
      await (await (await other.open('Lock', { name: 'it' })).acquire()).release();
    });
  });
}
