// Guards that are garbage-collected while they hold: counted always, told where that is asked for.
import assert from 'node:assert/strict';
import { run, temporaryDirectory } from '../support/index.js';

interface Report {
  lost: number;
  told: { message: string; code: string; detail: string }[];
  events: string[];
}

const debug = { HOLDFAST_DEBUG: '1' };

async function report(scenario: string, env: NodeJS.ProcessEnv = debug): Promise<Report> {
  const { code, said, stderr } = await run('lost-guards.mjs', {
    nodeArgs: ['--expose-gc'],
    args: [scenario],
    // What is lost stays, as news for the next user.
    env: { ...env, HOLDFAST_DIR: temporaryDirectory() },
  });
  assert.equal(code, 0, stderr);
  return said.at(-1) as Report;
}

describe('lost guards', () => {
  for (const kind of ['Lock', 'RLock', 'BoundedSemaphore', 'ReadWriteLock']) {
    it(`${kind}: each one is counted, and the channel tells it`, async () => {
      const { lost, told, events } = await report(kind);
      assert.equal(lost, kind === 'BoundedSemaphore' ? 2 : 1);
      assert.equal(told.length, lost);
      assert.equal(events.filter((event) => event === 'lost').length, lost);
    });
  }

  it('HOLDFAST_DEBUG: a warning with the stack of the acquisition', async () => {
    const { lost, told } = await report('Lock');
    assert.equal(lost, 1);
    assert.equal(told.length, 1);
    assert.match(told[0]!.message, /^Lock ".*": a guard was garbage-collected before its release/);
    assert.equal(told[0]!.code, 'ERR_HOLDFAST_LOST_GUARD');
    assert.match(told[0]!.detail, /at lose \(.*lost-guards\.mjs/);
  });

  it('--trace-warnings does the same', async () => {
    const { told } = await report('Lock', { NODE_OPTIONS: '--trace-warnings' });
    assert.equal(told.length, 1);
  });

  it('without either, they are counted, the channel tells them, and nobody is warned', async () => {
    const { lost, told, events } = await report('Lock', { HOLDFAST_DEBUG: '' });
    assert.deepEqual({ lost, told }, { lost: 1, told: [] });
    assert.equal(events.at(-1), 'lost');
  });

  it('one that is lost beside a guard that lives is counted', async () => {
    const { lost, told } = await report('beside a living guard');
    assert.equal(lost, 1);
    assert.equal(told.length, 1);
  });

  it('a guard that was released, or whose lock was, is not lost', async () => {
    for (const scenario of [
      'released',
      'released by name',
      'released and closed',
      'released and held again',
      'released inside of another hold',
    ]) {
      assert.equal((await report(scenario)).lost, 0, scenario);
    }
  });

  it('a guard of an object that is released by name is not watched', async () => {
    assert.equal((await report('by name')).lost, 0);
  });

  it('an acquisition asks nothing of the garbage collector, however it is released', async () => {
    const { code, said, stderr } = await run('guard-registrations.mjs');
    assert.equal(code, 0, stderr);
    assert.ok(said.length > 5);
    // As many as are held at once, and again each time that nothing is held for a slice.
    const often = (said as [string, number][]).filter(([, registered]) => registered > 40);
    assert.deepEqual(often, []);
  });
});
