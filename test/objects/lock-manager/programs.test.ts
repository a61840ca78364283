// LockManager in programs of their own: what keeps them alive, what they leave unhandled, and
// navigator.locks.
import assert from 'node:assert/strict';
import { Program, freshName, run, temporaryDirectory, twoSlices } from '../../support/index.js';
import { assertFree, hold, open, untilCounts } from './helpers.js';

const byItself = { code: 0, signal: null };

describe('LockManager, programs', () => {
  const start = (mode: string, namespace = freshName()) =>
    new Program('locks/event-loop.mjs', { args: [mode, namespace] });

  for (const mode of ['idle', 'used', 'held', 'acquired']) {
    it(`a manager that is ${mode} does not keep the process alive`, async () => {
      const program = start(mode);
      assert.deepEqual(await program.end(), byItself, program.stderr);
      assert.deepEqual(program.lines, ['waiting', 'nothing left']);
    });
  }

  it('close() while the table is busy: what was released is free a moment later', async () => {
    const { code, said, stderr } = await run('locks/busy-close.mjs', { args: [freshName()] });
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, [['TimeoutError', 'a lock', true]]);
  });

  it('a pending request keeps it alive until it ends', async () => {
    const manager = open();
    const held = await hold(manager, 'it');
    const program = start('pending', manager.namespace);
    await program.line('waiting');
    await untilCounts(manager, 'it', 1, 1);
    await twoSlices(); // enough time to end, if nothing kept it alive
    assert.deepEqual(program.lines, ['waiting']);
    await held.release();
    assert.deepEqual(await program.end(), byItself, program.stderr);
    assert.deepEqual(program.lines, ['waiting', 'granted', 'nothing left']);
    await assertFree(manager, 'it');
  });

  for (const [mode, name] of [
    ['timeout', 'TimeoutError'],
    ['abort', 'AbortError'],
    ['close', 'ClosedError'],
  ] as const) {
    it(`a request that ended by ${mode} does not keep it alive`, async () => {
      const manager = open();
      const held = await hold(manager, 'it');
      const program = start(mode, manager.namespace);
      assert.deepEqual(await program.end(), byItself, program.stderr);
      assert.deepEqual(program.lines, ['waiting', name, 'nothing left']);
      await held.release();
    });
  }

  it('only the promise that request() returned can be an unhandled rejection', async () => {
    const { said, stderr, code } = await run('locks/unhandled.mjs');
    assert.equal(code, 0, stderr);
    const ways = 7;
    const [handled, left] = [
      { seen: 0, same: 0 },
      { seen: ways, same: ways },
    ];
    assert.deepEqual(said, [{ ways, handled, left }], stderr);
  });
});

describe('holdfast/navigator-locks', () => {
  const env = () => ({ HOLDFAST_DIR: temporaryDirectory() });

  const seen = (isOwn: boolean) => {
    const [at, result] = [{ isOwn, enumerable: true, everywhere: false }, ['it', 1, true]];
    return [{ same: true, ...at, global: true, opened: 0, result }];
  };

  it('puts locks at navigator.locks, and the classes where there are none', async () => {
    const { said, stderr, code } = await run('locks/navigator.mjs', { env: env() });
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, seen(false), stderr);
  });

  for (const kind of ['plain', 'own']) {
    it(`puts them onto a navigator that is a plain object or has its own: ${kind}`, async () => {
      const { said, stderr, code } = await run('locks/navigator.mjs', { env: env(), args: [kind] });
      assert.equal(code, 0, stderr);
      assert.deepEqual(said, seen(true), stderr);
    });
  }

  it('by require(), too', async () => {
    const { said, stderr, code } = await run('locks/navigator.cjs', { env: env() });
    assert.equal(code, 0, stderr);
    assert.deepEqual(said, ['exclusive'], stderr);
  });
});
