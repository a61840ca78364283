// Several copies of the package in one program share what the thread holds and waits for, and take
// each other's objects and errors for their own.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { temporaryDirectory } from '../support/directory.js';
import { nobodySurvives, run } from '../support/program.js';

afterEach(nobodySurvives);

const root = path.resolve(import.meta.dirname, '../..');

/** What each act returns, with the copies in either order. */
const acts: Record<string, unknown> = {
  wakeUps: [0, 1, 2],
  errors: [true, true, true, false],
  objects: [true, false, false, false],
  getters: [
    [true, null, null],
    [true, null, null],
    [true, null, null],
    [false, { id: 1, x: 7 }, true], // which needs no memory
    { id: 3 },
  ],
  recursion: [2, 2, 0],
  inside: 2,
  conditions: 'notified',
  arguments: [
    'args[0] is a Guard: it belongs to the thread that acquired it; pass the lock instead',
    true,
    true,
    0,
  ],
};

describe('copies over one addon', () => {
  for (const [act, expected] of Object.entries(acts)) {
    it(act, async () => {
      const { said, stderr, code } = await run('copies.cjs', { args: [act] });
      assert.equal(stderr, '');
      assert.deepEqual(said.at(-1), [false, expected, expected]);
      const targets = said.slice(0, -1);
      assert.ok(targets.every((line) => JSON.stringify(line) === '["target",true,"argument"]'));
      assert.equal(targets.length, act === 'arguments' ? 2 : 0);
      assert.equal(code, 0);
    });
  }

  it('start methods', async () => {
    const { said, code } = await run('copies.cjs', { args: ['methods'] });
    const expected = ['forkserver', 'spawn'];
    assert.deepEqual([said, code], [[[false, expected, expected]], 0]);
  });
});

describe('copies with an addon each', () => {
  // activeChildren() has only those that were started by copies over the same addon.
  const refused = (acts['arguments'] as unknown[])[0];
  const apart = ['a text', 1.5, { id: 2, x: 5 }, true];
  const expected: typeof acts = {
    ...acts,
    arguments: [refused, false, true, 0],
    getters: [...apart.map((inner) => [false, { id: 1, x: 7 }, inner]), { id: 3 }],
  };
  for (const act of ['errors', 'objects', 'getters', 'arguments', 'wakeUps', 'conditions']) {
    it(act, async () => {
      const directory = path.join(temporaryDirectory(), 'node_modules/holdfast');
      for (const part of ['lib', 'package.json', 'build/Release/holdfast.node']) {
        cpSync(path.join(root, part), path.join(directory, part), { recursive: true });
      }
      symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
      const env = { HOLDFAST_NATIVE: '' };
      const { said, stderr } = await run('copies.cjs', { args: [act, directory], env });
      assert.equal(stderr, '');
      assert.deepEqual(said.at(-1), [false, expected[act], expected[act]]);
    });
  }
});

describe('directories', () => {
  it('belong to a thread: a worker that opens first chooses for itself alone', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'hf-directories-'));
    try {
      const { said, stderr, code } = await run('directories.mjs', { args: [directory] });
      assert.equal(stderr, '');
      assert.deepEqual(said, [[['of the worker'], ['of the main thread']], ['of the main thread']]);
      assert.equal(code, 0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
