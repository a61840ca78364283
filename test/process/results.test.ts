// What comes back from a Process, and what it is started with.
import assert from 'node:assert/strict';
import { type Method, methods, nobodySurvives, run } from '../support/program.js';

async function says(scenario: string, method: Method): Promise<unknown[]> {
  const { said, stderr, code } = await run('process-results.mjs', { args: [scenario], method });
  assert.equal(code, 0, stderr);
  return said;
}

afterEach(nobodySurvives);

for (const method of methods) {
  describe(`Process by ${method}: result()`, () => {
    it('resolves to what the target returned, with objects of holdfast', async () => {
      assert.deepEqual(await says('values', method), ['done']);
    });

    it('rejects with what the target threw: class, stack, cause, properties', async () => {
      assert.deepEqual(await says('errors', method), ['done']);
    });

    it('says why there is none', async () => {
      const [rows, notStarted, timedOut] = await says('none', method);
      assert.deepEqual(rows, [
        ['ProcessError', 'Process-1 ended with exit code 0 before its target returned', 0, null],
        [
          'ProcessError',
          'Process-2 was ended by SIGKILL before its target returned',
          -9,
          'SIGKILL',
        ],
        ['ProcessError', 'Process-3 ended with exit code 13 before its target returned', 13, null],
        [
          'EncodeError',
          'result.inside[0] is a function: it cannot go to another process',
          null,
          null,
        ],
        ['EncodeError', 'null', null, null],
      ]);
      assert.equal((notStarted as string[])[0], 'ProcessError');
      assert.equal((timedOut as string[])[0], 'TimeoutError');
    });

    it('the child has the environment, directory, streams and options that are given', async () => {
      assert.deepEqual(await says('surroundings', method), ['done']);
    });
  });
}

describe('Process: options', () => {
  it('are refused if they are wrong, and nothing is started', async () => {
    const [rows] = await says('wrong', 'spawn');
    const expected = Array.from({ length: 14 }, (_, i) => (i === 7 ? 'ProcessError' : 'TypeError'));
    assert.deepEqual(rows, expected);
  });
});
