// Pool in programs of its own: its functions, what it keeps alive, and what is left of it.
import assert from 'node:assert/strict';
import { type Method, Program, methods, nobodySurvives, run } from '../support/program.js';

async function says(scenario: string, method: Method, code = 0): Promise<unknown[]> {
  const outcome = await run('pool-program.mjs', { args: [scenario], method });
  assert.deepEqual([outcome.code, outcome.stderr], [code, ''], outcome.stdout);
  return outcome.said;
}

afterEach(nobodySurvives);

for (const method of methods) {
  describe(`Pool by ${method}`, () => {
    it('calls functions of the main module', async () => {
      const [result, results, anonymous, hidden, nested] = await says('functions', method);
      assert.deepEqual([result, results], [42, [2, 4, 6]]);
      assert.equal((anonymous as string[])[0], 'ProcessError');
      assert.equal(hidden, 'ProcessError');
      assert.match((nested as string[])[2]!, /a daemon may not start Processes/);
    });

    it('keeps the program alive while there are tasks, and not longer', async () => {
      assert.deepEqual(await says('left', method), [42]);
      assert.deepEqual(await says('awaited', method), ['done']);
    });

    it('ends with its process: by process.exit(), and by SIGKILL', async () => {
      await says('exits', method, 3);
      const program = new Program('pool-program.mjs', { args: ['killed'], method });
      await program.line('2');
      program.signal('SIGKILL');
      const { signal, stderr } = await program.outcome();
      assert.deepEqual([signal, stderr], ['SIGKILL', '']); // afterEach sees that all are gone
    });

    it('SIGKILL of its process ends workers and daemons in endless loops', async () => {
      const program = new Program('pool-program.mjs', { args: ['loops'], method });
      await program.line('"worker"');
      await program.line('"daemon"');
      program.signal('SIGKILL');
      const { signal } = await program.outcome(); // this waits for the orphans, too
      assert.equal(signal, 'SIGKILL');
    });
  });
}

describe('Pool at the top level of the main module', () => {
  it('is refused in the workers, with the reason', async () => {
    const { code, said } = await run('pool-unguarded.mjs');
    const [[name, , message]] = said as [string[]];
    assert.deepEqual([code, name], [0, 'ProcessError']);
    assert.match(
      message!,
      /at the top level of a module .* behind "if \(parentProcess\(\) === null/,
    );
  });
});

describe('Pool in a worker thread', () => {
  it('works as in the main thread', async () => {
    assert.deepEqual(await says('thread', 'spawn'), [[1, 4, 9]]);
  });
});
