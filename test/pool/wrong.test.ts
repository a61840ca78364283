// Pool: bad input is refused before anything is started.
import assert from 'node:assert/strict';
import { Pool, activeChildren } from 'holdfast';

const target = { module: 'node:fs', export: 'existsSync' };

const wrongOptions: [options: object | null, error: string][] = [
  [null, 'TypeError'],
  [{ processes: 0 }, 'RangeError'],
  [{ processes: 1.5 }, 'RangeError'],
  [{ processes: '2' }, 'TypeError'],
  [{ processes: 1025 }, 'RangeError'],
  [{ target: 5 }, 'TypeError'],
  [{ target: { module: '' } }, 'TypeError'],
  [{ initializer: 'x' }, 'TypeError'],
  [{ initArgs: 1 }, 'TypeError'],
  [{ maxTasksPerChild: 0 }, 'RangeError'],
  [{ maxQueue: -1 }, 'RangeError'],
  [{ maxMemory: 1 }, 'RangeError'],
  [{ name: '' }, 'TypeError'],
  [{ errors: [1] }, 'TypeError'],
  [{ env: 1 }, 'TypeError'],
  [{ execArgv: ['-e'] }, 'TypeError'],
  [{ process: 1 }, 'TypeError'],
];

const wrongTasks: [options: object, error: string][] = [
  [{ timeout: -1 }, 'RangeError'],
  [{ timeout: '1' }, 'TypeError'],
  [{ retries: -1 }, 'RangeError'],
  [{ retries: 1.5 }, 'RangeError'],
  [{ signal: {} }, 'TypeError'],
];

const wrongMaps: [items: unknown, options: object, error: string][] = [
  [5, {}, 'TypeError'],
  ['text', {}, 'TypeError'],
  [[1], { chunkSize: 0 }, 'RangeError'],
  [[1], { chunksize: 1 }, 'TypeError'],
  [[1], { onProgress: 1 }, 'TypeError'],
  [[1], { timeout: NaN }, 'RangeError'],
];

describe('Pool: bad input', function () {
  this.timeout(60_000);

  it('options that are wrong start nothing', () => {
    for (const [options, name] of wrongOptions) {
      assert.throws(() => new Pool(options as never), { name }, JSON.stringify(options));
    }
    const missing = { initializer: { module: 'no-such-package-of-anybody' } };
    assert.throws(() => new Pool(missing), { name: 'ProcessError' });
    assert.throws(() => new Pool({ cwd: '/no/such/directory' }), { name: 'ProcessError' });
    assert.deepEqual(activeChildren(), []);
  });

  it('calls that are wrong reach no worker', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    try {
      for (const [options, name] of wrongTasks) {
        await assert.rejects(pool.run(target, '/', options), { name }, JSON.stringify(options));
      }
      for (const [items, options, name] of wrongMaps) {
        await assert.rejects(pool.map(target, items as never, options), { name });
        assert.throws(() => pool.imap(target, items as never, options), { name });
      }
      for (const fn of [5, undefined, null, {}, class Task {}]) {
        await assert.rejects(pool.run(fn as never), { name: 'TypeError' });
      }
      await assert.rejects(
        pool.run(() => 1),
        { name: 'ProcessError' },
      );
      const { done, failed, waiting } = pool.inspect();
      assert.deepEqual([done, failed, waiting], [0, 0, 0]);
    } finally {
      await pool.terminate();
    }
  });
});
