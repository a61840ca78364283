// A program in which only worker threads load the addon. When the last of them ends, the addon may
// be unloaded; what it had registered with the system must not be called then.
import assert from 'node:assert/strict';
import { run } from '../support/program.js';

describe('only workers use it', () => {
  it('afterwards the program starts another one, and ends', async () => {
    const inWorker = `
      const { Lock } = require('holdfast');
      const lock = new Lock();
      lock.acquireSync().release();
      lock.close();`;
    const program = `
      const { Worker } = require('node:worker_threads');
      const { spawnSync } = require('node:child_process');
      const start = () => new Worker(${JSON.stringify(inWorker)}, { eval: true });
      start().on('exit', () => {
        console.log(spawnSync(process.execPath, ['--version']).status);
        start().on('exit', (code) => console.log(code));
      });`;
    const { code, stdout } = await run('', { nodeArgs: ['--eval', program] });
    assert.deepEqual([stdout.trim().split('\n'), code], [['0', '0'], 0]);
  });
});
