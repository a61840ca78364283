// What a process leaves that was killed with many objects open: the next ones take it away step by
// step, so that none of them waits for all of it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { temporaryDirectory } from '../support/index.js';
import { Program } from '../support/program.js';
import { until } from '../support/time.js';

const many = 300;

describe('many objects of a process that was killed', () => {
  let env: NodeJS.ProcessEnv;
  const left = () =>
    readdirSync(env['HOLDFAST_DIR']!).filter((name) => name.startsWith('object.')).length;

  async function start(count: number, ...stay: string[]): Promise<Program> {
    const program = new Program('many-locks.mjs', { args: [String(count), ...stay], env });
    await program.line('open');
    return program;
  }

  beforeEach(async () => {
    env = { HOLDFAST_DIR: temporaryDirectory() };
    const program = await start(many, 'stay');
    await program.kill();
    assert.equal(left(), many);
  });

  it('a process that opens one object and then does nothing takes all away', async () => {
    const program = await start(1, 'stay');
    await until(() => left() === 1, 'only its own lock is left');
    await program.kill();
  });

  it('a process that ends takes all away before, and is not kept running', async () => {
    const program = await start(1);
    assert.equal((await program.end()).code, 0);
    assert.deepEqual(readdirSync(env['HOLDFAST_DIR']!), []);
  });
});
