// The death of a holder is news for who waits, even if nobody looks.
import assert from 'node:assert/strict';
import { Program, newProcess, temporaryDirectory } from '../support/index.js';

describe('news of a death', () => {
  // Bun and Deno have no loop of libuv that could poll, so a thread of ours does.
  for (const polls of ['libuv', 'a thread']) {
    it(`come to a JS thread that has no slice, and it has the lock (${polls})`, async () => {
      const env = { HOLDFAST_DIR: temporaryDirectory() };
      for (let round = 0; round < 5; round++) {
        const holder = await newProcess({ env });
        await (await holder.open('RLock', { name: 'it' })).acquire();
        const listener = new Program('death-news.mjs', { args: ['it', polls], env });
        await listener.line('watching');
        await holder.kill();
        const { stdout, stderr, code } = await listener.outcome();
        assert.deepEqual([stdout, code], ['watching\nnews\nabandoned\n', 0], stderr);
      }
    });
  }
});
