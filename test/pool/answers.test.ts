// Pool: arguments and answers that cannot be sent. The task is rejected with the reason, and its
// worker goes on.
import assert from 'node:assert/strict';
import path from 'node:path';
import { Pool } from 'holdfast';
import { mountSmall, run } from '../support/index.js';
import { PrivateName, type awkward } from '../programs/pool-targets.mjs';

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
      nullFromGetter: /^EncodeError: null$/,
      getterOfMessage: /^RangeError/,
      getterOfStack: /^RangeError: odd/,
      nameOfClass: /^RangeError: odd/,
      privateName: /^Closer: private/,
      inside: /^EncodeError: result\.list\[1\] is a function/,
    };
    const pool = new Pool({ processes: 1, execArgv: [], errors: [PrivateName] });
    try {
      const pid = await pool.run({ module, export: 'pid' });
      for (const [how, pattern] of Object.entries(expected)) {
        const task = pool.run({ module, export: 'isAwkward' }, how);
        await assert.rejects(task, (error) => pattern.test(String(error)), how);
      }
      assert.equal(await pool.run({ module, export: 'pid' }), pid);
      const echo = { module, export: 'echo' };
      const wrong = { inside: () => 1 };
      await assert.rejects(pool.run(echo, 1, wrong), /: args\[1\]\.inside is a function/);
      await assert.rejects(pool.map(echo, [1, wrong]), /: item\.inside is a function/);
    } finally {
      await pool.terminate();
    }
  });

  it('arguments whose getters call the pool meanwhile', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    const echo = { module, export: 'echo' };
    const call = (act: () => unknown, signal?: AbortSignal) => {
      const odd = {
        first: 1,
        get second() {
          act();
          return 2;
        },
        third: [3],
      };
      return pool.run(echo, odd, { retries: 0, signal });
    };
    try {
      assert.deepEqual(await pool.run(echo), []); // from here on the worker is ready
      let inner: Promise<unknown> | undefined;
      const outer = call(() => (inner = pool.run(echo, 'inner')));
      assert.deepEqual(await outer, [{ first: 1, second: 2, third: [3] }]);
      assert.deepEqual(await inner, ['inner']);
      const stop = new AbortController();
      await assert.rejects(
        call(() => stop.abort(), stop.signal),
        { name: 'AbortError' },
      );
      assert.deepEqual(await pool.run(echo, 'still here'), ['still here']);
      const { waiting, running } = pool.inspect();
      assert.deepEqual([waiting, running], [0, 0]);
      await assert.rejects(
        call(() => void pool.terminate()),
        { name: 'ClosedError' },
      );
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
