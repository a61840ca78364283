// Test runners replace timers and clock. Waits go by the real ones.
import assert from 'node:assert/strict';
import { nobodySurvives, run } from '../support/program.js';

afterEach(nobodySurvives);

const scenarios: Record<string, [title: string, said: unknown[]]> = {
  blocking: ['a blocking wait times out', ['TimeoutError']],
  pending: ['a pending wait times out', ['TimeoutError']],
  join: ['join() times out', [false, true]],
  alive: ['a pending wait keeps the process alive', ['woken']],
};

describe('fake timers', () => {
  for (const replacement of ['nodeTest', 'sinon', 'jsdom']) {
    for (const [scenario, [title, said]] of Object.entries(scenarios)) {
      it(`of ${replacement}: ${title}`, async () => {
        const nodeArgs = ['--no-warnings'];
        const outcome = await run('fake-timers.mjs', { nodeArgs, args: [replacement, scenario] });
        assert.deepEqual([outcome.stderr, outcome.said, outcome.code], ['', said, 0]);
      });
    }
  }
});
