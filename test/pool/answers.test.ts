// Pool: arguments and answers that cannot be sent. The task is rejected with the reason, and its
// worker goes on.
import assert from 'node:assert/strict';
import path from 'node:path';
import { Pool } from 'holdfast';
import { mountSmall, run } from '../support/index.js';
import type { awkward } from '../programs/pool-targets.mjs';

const module = new URL('../programs/pool-targets.mjs', import.meta.url);

describe('Pool: what cannot be sent', function () {
  this.timeout(60_000);

  it('what runs code that throws, and errors in a circle', async () => {
    const expected: Record<keyof typeof awkward, RegExp> = {
      getterInError: /^Error: its message/,
      whenAwaited: /^Error: from then/,
      circle: /^Error: number 0/,
      result: /^EncodeError: from a getter/,
      shown: /^object that cannot be shown$/,
    };
    const pool = new Pool({ processes: 1, execArgv: [] });
    try {
      const pid = await pool.run({ module, export: 'pid' });
      for (const [how, pattern] of Object.entries(expected)) {
        const task = pool.run({ module, export: 'isAwkward' }, how);
        await assert.rejects(task, (error) => pattern.test(String(error)), how);
      }
      assert.equal(await pool.run({ module, export: 'pid' }), pid);
    } finally {
      await pool.terminate();
    }
  });

  it('what the storage has no room for', async function () {
    const mount = mountSmall('size=8m');
    if (mount === undefined) this.skip(); // needs the right to mount
    const env = { HOLDFAST_DIR: path.join(mount, 'objects') };
    const { said, stderr, code } = await run('pool-storage.mjs', { env });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(said, [
      ['argument', 'NoSpaceError'],
      ['second argument', 'NoSpaceError'],
      ['part of an argument', 'NoSpaceError'],
      ['small', '[20000,20000]'],
      ['result', 'NoSpaceError'],
      ['results', 'NoSpaceError'],
      ['error', 'NoSpaceError'],
      ['small', '[20000,20000]'],
      ['same worker', 'true'],
    ]);
  });
});
