// Modules that --import, --require and NODE_OPTIONS name are loaded into every child, before its
// own code. Such a module must find out that it runs in a child. Otherwise it starts another child,
// without end.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { type Outcome, nobodySurvives, programFile, run } from '../support/program.js';

afterEach(nobodySurvives);

const bootstrap = pathToFileURL(programFile('process-bootstrap.mjs')).href;
const bootstrapCjs = programFile('process-bootstrap.cjs');

/** The ways to load a module before the program. */
const ways: Record<string, { nodeArgs?: string[]; env?: NodeJS.ProcessEnv }> = {
  '--import': { nodeArgs: ['--import', bootstrap] },
  '--require': { nodeArgs: ['--no-warnings', '--require', bootstrapCjs] },
  NODE_OPTIONS: { env: { NODE_OPTIONS: `--import ${bootstrap}` } },
};

type Line = [what: string, ...rest: unknown[]];

async function bootstrapped(way: string, act: string): Promise<Line[]> {
  const { nodeArgs = [], env } = ways[way]!;
  const outcome: Outcome = await run('process-bootstrapped.mjs', {
    nodeArgs,
    env: { ...env, BOOTSTRAP: act },
  });
  assert.equal(outcome.stderr, '', outcome.stdout);
  assert.equal(outcome.code, 0);
  return outcome.said as Line[];
}

const of = (lines: Line[], what: string) => lines.filter((line) => line[0] === what);
const sorted = (lines: Line[]) => lines.map((line) => JSON.stringify(line)).toSorted();

for (const way of Object.keys(ways)) {
  describe(`Process: preloaded by ${way}`, () => {
    it('a module with a guard starts its Process once', async () => {
      const lines = await bootstrapped(way, 'guarded');
      assert.deepEqual(sorted(of(lines, 'preloaded')), [
        '["preloaded",0,"MainProcess",null]',
        '["preloaded",1,"Process-1",["MainProcess",true]]',
        '["preloaded",1,"work",["MainProcess",true]]',
      ]);
      assert.deepEqual(of(lines, 'target'), [['target', 'Process-1', null]]);
      assert.deepEqual(of(lines, 'done'), [['done', 0]]);
    });

    it('a module without a guard is refused in the child', async () => {
      const lines = await bootstrapped(way, 'unguarded');
      assert.equal(of(lines, 'preloaded').length, 3);
      assert.deepEqual(of(lines, 'refused'), [
        ['refused', 'start() at the top level of'],
        ['refused', 'start() at the top level of'],
      ]);
      assert.deepEqual(of(lines, 'target'), [['target', 'Process-1', null]]);
    });

    it('a module that sets the start method has idle children of the program only', async () => {
      const lines = await bootstrapped(way, 'forkserver');
      const [program, ...children] = of(lines, 'preloaded');
      assert.deepEqual(program, ['preloaded', 0, 'MainProcess', null]);
      // The first idle child serves `work`. Another one may take its place before the program ends.
      assert.ok(children.length === 1 || children.length === 2, JSON.stringify(children));
      for (const child of children) {
        assert.deepEqual(child, ['preloaded', 1, 'forkserver', ['MainProcess', true]]);
      }
      assert.deepEqual(of(lines, 'done'), [['done', 0]]);
    });
  });
}
