// The worker of docs/jobs.md does what that page says: it retries, buries poison, and when it is
// told to end, it ends with what it has in hand.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { JoinableQueue } from 'holdfast';
import { blocksOf } from '../../scripts/blocks.mjs';
import { Program, track, tsx, until } from '../support/index.js';

/** A worker starts with the TypeScript loader, which takes long on a busy machine. */
const long_ms = 60_000;

const driver = `
const tried = new Set<string>();
await work(async ({ image }) => {
  console.log(image);
  if (image === 'poison') process.kill(process.pid, 'SIGKILL');
  if (image === 'flaky' && !tried.has(image)) {
    tried.add(image);
    throw new Error('not this time');
  }
  if (image === 'slow') await new Promise((resolve) => process.once('SIGTERM', resolve));
}, 1);
console.log('ended');
`;

describe('docs/jobs.md', () => {
  let directory: string;
  before(() => {
    const root = path.resolve(import.meta.dirname, '../..');
    directory = mkdtempSync(path.join(root, 'build', 'jobs-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('its worker retries, buries poison, reports, and drains on SIGTERM', async function () {
    this.timeout(4 * long_ms);
    const [worker] = blocksOf('docs/jobs.md');
    assert.ok(worker!.code.split('\n').length <= 40, 'in 40 lines');
    const file = path.join(directory, 'worker.ts');
    writeFileSync(file, `${worker!.code}${driver}`);
    const start = () => new Program('', { nodeArgs: ['--import', tsx, file] });
    const options = { name: 'resize', persistent: true, maxDeliveries: 5 };
    const jobs = track(new JoinableQueue<{ image: string; width: number }>(options));
    try {
      await jobs.put({ image: 'poison', width: 1 });
      for (let i = 0; i < 4; i++) (await jobs.take()).retry(); // four workers before
      assert.equal((await start().end(long_ms)).signal, 'SIGKILL');
      await until(() => jobs.size() === 1, 'the lease of the dead is over');
      for (const image of ['flaky', 'good', 'slow', 'late']) await jobs.put({ image, width: 1 });
      const second = start();
      await second.line('slow', long_ms);
      await until(() => jobs.inspect().delayed === 1 || jobs.size() === 2, 'flaky comes again');
      second.signal('SIGTERM');
      const { code } = await second.end(long_ms);
      assert.equal(code, 0, second.stderr);
      assert.equal(second.stdout, 'flaky\ngood\nslow\nended\n', second.stderr);
      const letter = jobs.dead.takeSync();
      assert.deepEqual(letter.value.value, { image: 'poison', width: 1 });
      assert.equal(letter.value.deliveries, 5);
      letter.done();
      assert.equal(jobs.unfinished(), 2, 'flaky and late');
    } finally {
      jobs.unlink();
    }
  });
});
