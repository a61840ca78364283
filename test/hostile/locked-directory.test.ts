// A process was stopped (by a debugger, a freezer) while it had the directory's lock.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  Program,
  type ProcessActor,
  assertRejects,
  newProcess,
  temporaryDirectory,
} from '../support/index.js';

const hasFlock = spawnSync('flock', ['--version']).status === 0;

/** A process that has the directory's lock until it is killed. */
async function lockDirectory(directory: string): Promise<Program> {
  const args = ['--no-fork', '--exclusive', directory, 'sh', '-c', 'echo locked; exec sleep 600'];
  const program = new Program('flock', { args });
  await program.line('locked');
  return program;
}

const ends: Record<string, (actor: ProcessActor) => unknown> = {
  'process.exit()': (actor) => void actor.exit().catch(() => {}),
  'the end of its event loop': (actor) => void actor.leave().catch(() => {}),
  'worker.terminate()': (actor) => actor.act('terminateWorkers'),
};

/** The next process sweeps what was left there. */
async function assertSwept(directory: string): Promise<void> {
  const next = await newProcess({ env: { HOLDFAST_DIR: directory } });
  const lock = await next.open('Lock', { name: 'other' });
  assert.deepEqual(
    (await next.list()).map(({ name }) => name),
    ['other'],
  );
  await lock.close();
}

describe('a directory whose lock is taken for good', () => {
  before(function () {
    if (!hasFlock) this.skip();
  });

  // Each open object used to wait for two seconds. That is far longer than the watchdog of leave().
  for (const how of ['exit', 'leave'] as const) {
    it(`a process waits for it once, however much it has open: ${how}`, async () => {
      const directory = temporaryDirectory();
      const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
      for (let i = 0; i < 30; i++) await actor.open(i % 2 ? 'Lock' : 'RLock', { name: `it ${i}` });
      const program = await lockDirectory(directory);
      assert.deepEqual(await actor[how](), { code: 0, signal: null });
      await program.kill();
      await assertSwept(directory);
    });
  }

  for (const [how, end] of Object.entries(ends)) {
    for (const kind of ['Lock', 'RLock']) {
      it(`the next holders do not wait for it: ${kind}, ${how}`, async () => {
        const directory = temporaryDirectory();
        const env = { HOLDFAST_DIR: directory };
        const [holder, next] = await Promise.all([newProcess({ env }), newProcess({ env })]);
        const theirs = await next.make(kind, { name: 'it' });
        if (how.startsWith('worker')) {
          await holder.act('startWorkers', { jobs: [{ kind, name: 'it', form: 'sync' }] });
          // The worker says that it is ready before it acquires.
          while (!(await theirs.locked()));
        } else {
          await (await holder.make(kind, { name: 'it' })).keep('acquireSync');
        }
        await lockDirectory(directory);
        // Shorter than a process may wait for the directory when it closes something.
        const heritage = theirs.acquire({ timeout: 900 });
        await heritage.started;
        await end(holder);
        assert.equal((await heritage).abandoned, true);
      });
    }
  }

  it('a close() waits for it once', async () => {
    const directory = temporaryDirectory();
    const actor = await newProcess({ env: { HOLDFAST_DIR: directory } });
    const objects = [];
    for (let i = 0; i < 30; i++) objects.push(await actor.open('Lock', { name: `it ${i}` }));
    const program = await lockDirectory(directory);
    for (const object of objects) await object.close();
    await assertRejects(objects[0]!.acquire(), 'ClosedError');
    await program.kill();
    await assertSwept(directory);
  });
});
