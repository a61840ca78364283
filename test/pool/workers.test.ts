// Pool: what one task does to its worker costs no other task.
import assert from 'node:assert/strict';
import { Pool, SharedValue } from 'holdfast';
import { track } from '../support/index.js';

const programs = (file: string) => new URL(`../programs/${file}`, import.meta.url);
const target = (name: string) => ({ module: programs('pool-targets.mjs'), export: name });

describe('Pool: what a task does to its worker', function () {
  this.timeout(60_000);

  it('a module that ends its process costs the tasks that call it, and no others', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    try {
      const never = { module: programs('ends-while-loaded.mjs'), export: 'never' };
      for (let i = 0; i < 3; i++) {
        await assert.rejects(pool.run(never), { name: 'ProcessError', exitCode: 4 });
      }
      assert.equal(await pool.run(target('square'), 3), 9);
    } finally {
      await pool.terminate();
    }
  });

  it('its end is noticed, also if a process that it has started keeps its channel', async () => {
    const pool = new Pool({ processes: 1, execArgv: [] });
    const child = track(new SharedValue('int32', 0));
    try {
      const task = pool.run(target('leavesChannel'), child);
      await assert.rejects(task, { name: 'ProcessError', exitCode: 6 });
      process.kill(child.value, 0); // it is still there
      assert.equal(await pool.run(target('square'), 3), 9);
    } finally {
      if (child.value > 0) process.kill(child.value, 'SIGKILL');
      await pool.terminate();
    }
  });
});
