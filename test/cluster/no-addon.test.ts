// The files of an engine with a server never load the addon: it need not even be there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

describe('cluster: without the addon', () => {
  for (const engine of ['postgres', 'redis', 'etcd']) {
    it(`holdfast/${engine} loads`, () => {
      const program = `
        const { connect } = require('holdfast/${engine}');
        connect('${engine}://127.0.0.1:1', { connectTimeout: 1 }).catch(({ code }) => {
          const addons = Object.keys(require.cache).filter((file) => file.endsWith('.node'));
          console.log(code, addons.length);
        });`;
      const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
        encoding: 'utf8',
        env: { ...process.env, HOLDFAST_NATIVE: '/nowhere/holdfast.node' },
      });
      assert.equal(stdout, 'ERR_HOLDFAST_ENGINE_UNAVAILABLE 0\n', stderr);
    });
  }
});
