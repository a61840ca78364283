// Large Buffers that a consumer got are garbage soon. The memory of one is used for the next
// (docs/adr/0071-kept-heap.md).
import assert from 'node:assert/strict';
import { Program, platform } from '../../support/index.js';

/** The page faults of each Buffer of 1 MiB, which has 256 pages. */
async function faults(env: NodeJS.ProcessEnv): Promise<number> {
  const program = new Program('large-buffers.mjs', { nodeArgs: ['--expose-gc'], env });
  const { code, stderr, said } = await program.outcome();
  assert.equal(code, 0, stderr);
  return said[0] as number;
}

describe('the memory of large Buffers', () => {
  before(function () {
    if (platform !== 'linux') this.skip(); // other systems' heaps have no such choice
  });

  it('is kept for the next ones', async () => {
    assert.ok((await faults({})) < 26);
  });

  for (const env of [
    { MALLOC_TRIM_THRESHOLD_: '131072' },
    { GLIBC_TUNABLES: 'glibc.malloc.trim_threshold=131072' },
  ]) {
    const [name] = Object.keys(env);
    it(`is given back if ${name} says so`, async () => {
      assert.ok((await faults(env)) > 230);
    });
  }
});
