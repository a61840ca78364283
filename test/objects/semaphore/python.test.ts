// A Semaphore is a POSIX semaphore that other languages share. Here the other language is Python:
// the test uses the class in CPython on which multiprocessing.Semaphore is built.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Semaphore } from 'holdfast';
import {
  Counter,
  Program,
  acquire,
  assertRejects,
  assertThrows,
  forms,
  freshName,
  newProcess,
  now,
  sharedActor,
  track,
  twoSlices,
  until,
} from '../../support/index.js';

const script = fileURLToPath(new URL('../../programs/semaphore.py', import.meta.url));
const hasPython = spawnSync('python3', ['-c', 'import _multiprocessing']).status === 0;

function python(semaphore: Semaphore, ...args: string[]): Program {
  return new Program('python3', { args: [script, semaphore.posixName, ...args] });
}

describe('Python', () => {
  before(function () {
    if (!hasPython) this.skip(); // there is no python3 with _multiprocessing
  });

  it('Node waits for a permit that Python holds, in all ways', async () => {
    // The thread of the test must not block, because it has to tell Python to go on.
    for (const [place, form] of [
      ['thread', 'async'],
      ['worker', 'sync'],
      ['process', 'async'],
      ['process', 'sync'],
    ] as const) {
      const name = freshName();
      const semaphore = track(new Semaphore(1, { name }));
      const holder = python(semaphore, 'hold');
      await holder.line('holds');
      assert.equal(semaphore.tryAcquire(), false);
      assertThrows(() => semaphore.acquireSync({ timeout: 20 }), 'TimeoutError');
      await assertRejects(semaphore.acquire({ timeout: 70 }), 'TimeoutError');
      const there = await (await sharedActor(place)).open('Semaphore', { name });
      const wait = acquire(there, form);
      await until(() => semaphore.inspect().waiters === 1, 'it waits');
      await twoSlices(); // no token counts as lost
      holder.closeInput();
      const hold = await wait;
      const released = Number((await holder.line('released')).split(' ')[1]);
      // A float of seconds in Python cannot hold the nanoseconds.
      assert.ok(hold.at >= released - 0.001, `${hold.at} before ${released}`);
      await hold.release();
      assert.deepEqual(await holder.end(), { code: 0, signal: null });
    }
  });

  it('Python waits for a permit that Node holds', async () => {
    const semaphore = track(new Semaphore(1, { name: freshName() }));
    semaphore.acquireSync();
    const waiter = python(semaphore, 'wait');
    assert.equal(await waiter.line('waits'), 'waits False');
    await twoSlices();
    assert.equal(waiter.lines.length, 1);
    const released = now();
    semaphore.release();
    const acquired = Number((await waiter.line('acquired')).split(' ')[1]);
    assert.ok(acquired > released - 0.001, `${acquired} before ${released}`);
    assert.deepEqual(await waiter.end(), { code: 0, signal: null });
    await semaphore.acquire({ timeout: 10_000 });
    semaphore.release();
  });

  it('Python and Node add to one counter: no update is lost', async function () {
    this.timeout(120_000);
    const rounds = 20_000;
    const name = freshName();
    const counter = new Counter();
    const semaphore = track(new Semaphore(1, { name }));
    const began = performance.now();
    const pythons = [1, 2].map(() => python(semaphore, 'count', counter.file, String(rounds)));
    const nodes = await Promise.all(
      forms.map(async (form) => {
        const actor = await newProcess();
        const object = await actor.open('Semaphore', { name });
        return { actor, args: { object, form, rounds, file: counter.file } };
      }),
    );
    await Promise.all(pythons.map((it) => it.line('ready')));
    await Promise.all([
      ...pythons.map((it) => it.line('done', 100_000)),
      ...nodes.map(({ actor, args }) => actor.act('count', args, 100_000)),
    ]);
    const ms = performance.now() - began;
    assert.equal(counter.read(), 4 * rounds);
    console.log(
      `      4 x ${rounds} increments by two Pythons and two Nodes in ${ms.toFixed(0)} ms`,
    );
    for (const it of pythons) assert.deepEqual(await it.end(), { code: 0, signal: null });
    assert.equal(semaphore.tryAcquire(), true);
    assert.equal(semaphore.tryAcquire(), false, 'one permit, as before');
  });
});
