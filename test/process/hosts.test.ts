// Processes in programs that run inside something else: a cluster, pm2, a compiler of TypeScript.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from '../support/directory.js';
import { nobodySurvives, programFile, run } from '../support/program.js';

afterEach(nobodySurvives);

const root = path.resolve(import.meta.dirname, '../..');
const stripsTypes = 'typescript' in process.features && Boolean(process.features.typescript);

describe('Process: cluster', () => {
  it('a worker that is forked in a Process runs the program', async () => {
    const outcome = await run('process-cluster-inside.mjs', { args: ['x'] });
    assert.equal(outcome.stderr, '');
    assert.deepEqual(outcome.said, [['worker', ['x'], null], ['primary', 'Process-1', 0], 0]);
  });
});

describe('Process: pm2', () => {
  for (const kind of ['cjs', 'mjs']) {
    it(`finds a function of the program that its container runs (${kind})`, async () => {
      // pm2's ProcessContainerFork.js does the same.
      const container = path.join(temporaryDirectory(), 'ProcessContainerFork.js');
      writeFileSync(
        container,
        kind === 'cjs'
          ? `require('module')._load(process.env.pm_exec_path, null, true);
             process.mainModule.loaded = false;`
          : `import(require('url').pathToFileURL(process.env.pm_exec_path));`,
      );
      const outcome = await run('', {
        nodeArgs: [container],
        env: { pm_exec_path: programFile(`process-hosted.${kind}`) },
      });
      assert.equal(outcome.stderr, '');
      assert.deepEqual(outcome.said, [['worked', 'MainProcess'], 0]);
    });
  }
});

describe('Process: TypeScript', () => {
  const compiled = { module: programFile('process-main.ts'), export: 'default' };
  const start = (rest: string) => `
    const { Process } = require(${JSON.stringify(root)});
    try {
      const child = new Process(${JSON.stringify(compiled)}).start();
      ${rest}
    } catch ({ name, message }) {
      console.log(name, message);
    }`;

  before(function () {
    if (stripsTypes) this.skip();
  });

  it('is refused by start() where no child can compile it', async () => {
    const file = path.join(temporaryDirectory(), 'starts.cjs');
    writeFileSync(file, start(''));
    const refused = await run('', { nodeArgs: ['--no-warnings', file] });
    assert.match(refused.stdout, /^ProcessError .*process-main\.ts is TypeScript, and nothing in/);
    assert.match(refused.stdout, /start the program with "node --import tsx"/);
  });

  it('is refused by the child where only the child can know', async () => {
    const file = path.join(temporaryDirectory(), 'starts.cjs');
    writeFileSync(file, start('child.join().then(() => console.log(child.exitCode));'));
    const { said, stderr } = await run('', { nodeArgs: ['--conditions', 'other', file] });
    assert.deepEqual(said, [1]);
    assert.match(
      stderr,
      /ProcessError: .*process-main\.ts is TypeScript, and nothing in the child/,
    );
  });

  it('is required where something compiles only what is required, as ts-node does', async () => {
    const directory = temporaryDirectory();
    mkdirSync(path.join(directory, 'node_modules'));
    symlinkSync(root, path.join(directory, 'node_modules/holdfast'));
    const hook = path.join(directory, 'hook.cjs');
    writeFileSync(hook, `require.extensions['.ts'] = require.extensions['.js'];`);
    const target = path.join(directory, 'target.ts');
    writeFileSync(target, `exports.work = (text) => console.log(JSON.stringify(text));`);
    const file = path.join(directory, 'starts.cjs');
    writeFileSync(
      file,
      `new (require('holdfast').Process)({ module: './target.ts', export: 'work' }, { args: ['w'] }).start();`,
    );
    const outcome = await run('', { nodeArgs: ['--require', hook, file] });
    assert.equal(outcome.stderr, '');
    assert.deepEqual(outcome.said, ['w']);
  });
});
