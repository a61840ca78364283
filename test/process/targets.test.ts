// What can be the target of a Process and what its arguments, and how other values are refused.
import assert from 'node:assert/strict';
import { list } from 'holdfast';
import { childEnvironment, inheritedOptions } from '../../lib/process/launch.js';
import { resolveModule } from '../../lib/process/target.js';
import { type Outcome, nobodySurvives, programFile, run, tsx } from '../support/program.js';

type Refusal = [name: string, code: string | null, message: string];

afterEach(nobodySurvives);
after(() => assert.deepEqual(list(), []));

function succeeded(outcome: Outcome): unknown[] {
  assert.equal(outcome.stderr, '', outcome.stdout);
  assert.equal(outcome.code, 0);
  return outcome.said;
}

function assertRefused(
  refusals: Record<string, Refusal>,
  expected: Record<string, [string, RegExp]>,
) {
  assert.deepEqual(Object.keys(refusals), Object.keys(expected));
  for (const [what, [name, message]] of Object.entries(expected)) {
    assert.equal(refusals[what]![0], name, what);
    assert.match(refusals[what]![2], message, what);
  }
}

describe('Process: functions of the main module', () => {
  it('are refused by start() where no child could find them', async () => {
    const [refusals, running] = succeeded(
      await run('process-targets.mjs', { args: ['unfit', 'later'] }),
    ) as [Record<string, Refusal>, number];
    assertRefused(refusals, {
      anonymous: [
        'ProcessError',
        /^an anonymous function is not an export of the main module file:/,
      ],
      bound: ['ProcessError', /^the function bound facts is not an export/],
      native: ['ProcessError', /^the function max is not an export/],
      notExported: [
        'ProcessError',
        /^the function notExported is not an export.*export it there\. Or name its module/,
      ],
      impostor: ['ProcessError', /^the function facts is not an export/],
      class: ['TypeError', /not the class Target/],
      nothing: ['TypeError', /target must be a function or \{ module, export \}/],
      noModule: ['TypeError', /target\.module must be/],
      noPackage: ['ProcessError', /cannot find the package "no-such-package-of-anybody"/],
      exportName: ['TypeError', /target\.export must be/],
      args: ['TypeError', /args must be an array/],
      name: ['TypeError', /name must be a string/],
      daemon: ['TypeError', /daemon must be a boolean/],
      options: ['TypeError', /options must be an object/],
      unknownOption: ['TypeError', /unknown option "nmae"; did you mean name\?/],
      unknownKey: ['TypeError', /unknown option "exprot"; did you mean export\?/],
    });
    assert.equal(running, 0);
  });

  it('are refused by the child where the main module is not evaluated yet', async () => {
    const { said, stderr } = await run('process-targets.mjs', { args: ['tooEarly'] });
    assert.deepEqual(said, [[1, 1]]);
    assert.match(
      stderr,
      /Process Process-1:\nProcessError: the function notExported is not an export/,
    );
    assert.match(stderr, /Process Process-2:\nProcessError: the function facts is not an export/);
  });

  for (const scenario of ['names', 'namesLater']) {
    it(`are found under any name that they are exported by (${scenario})`, async () => {
      const outcome = await run('process-targets.mjs', { args: [scenario, 'later'] });
      assert.deepEqual(succeeded(outcome), [[[0, 0], 3]]);
    });
  }

  it('do not start children without end where the main module lacks its guard', async () => {
    const { said, stderr, code } = await run('process-unguarded.mjs');
    assert.equal(code, 0);
    assert.deepEqual(said, [1]);
    assert.match(stderr, /start\(\) at the top level of a module that the child is still loading/);
  });

  it('may be CommonJS', async () => {
    const said = succeeded(await run('process-main.cjs'));
    const refusal = said.find((row) => Array.isArray(row) && row[0] === 'ERR_HOLDFAST_PROCESS');
    assert.match((refusal as string[])[1]!, /the function notExported is not an export/);
    assert.deepEqual(
      new Set(said.filter((row) => row !== refusal).map((row) => JSON.stringify(row))),
      new Set(['["Process-1",false]', '"original"']),
    );
  });

  it('may be the whole of a CommonJS module', async () => {
    assert.deepEqual(succeeded(await run('process-function.cjs')), ['called']);
  });

  it('may be TypeScript under tsx', async () => {
    const nodeArgs = ['--import', tsx];
    assert.deepEqual(succeeded(await run('process-main.ts', { nodeArgs })), [
      ['Process-1', 'typed'],
      ['Process-1:1', 'typed', 'more'],
      ['Process-1:1:1', 'typed', 'more', 'more'],
      0,
    ]);
  });

  it('may be CommonJS TypeScript under tsx', async () => {
    assert.deepEqual(succeeded(await run('process-main.cts', { nodeArgs: ['--import', tsx] })), [
      'cts',
    ]);
  });

  if ('typescript' in process.features && process.features.typescript) {
    it('may be TypeScript whose types Node strips', async () => {
      const { said, code } = await run('process-main.ts');
      assert.deepEqual([said.length, said.at(-1), code], [4, 0, 0]);
    });
  }

  it('are refused in a worker thread; a target by module works there', async () => {
    const [name, refusal, called, ended] = succeeded(await run('process-of-worker.mjs'));
    assert.equal(name, 'Process-1');
    assert.match(
      (refusal as string[])[1]!,
      /is not in the main module, because this is a worker thread/,
    );
    assert.deepEqual([called, ended], ['called', ['Process-3', 0]]);
  });
});

describe('Process: targets by module', () => {
  it('are URLs, paths and packages, and fail with exit code 1 and the error', async () => {
    const { said, stderr } = await run('process-targets.mjs', { args: ['modules'] });
    const where = [process.cwd(), null, 0];
    assert.deepEqual(said, [
      where,
      where,
      where,
      where,
      'default of CommonJS',
      'hidden in CommonJS',
      [0, 0, 0, 0, 0, 0, 0, 1, 1, 1],
    ]);
    assert.match(
      stderr,
      /Process Process-8:\nError.*: Cannot find module .*process-no-such-file\.mjs/,
    );
    assert.match(
      stderr,
      /Process Process-9:\nProcessError: the module .* does not export "noSuchExport"/,
    );
    assert.match(stderr, /Process Process-10:\nError: broken on purpose/);
  });

  it('are paths, not URLs, if they begin with a dot', () => {
    assert.match(resolveModule('./a%20b#c?d.mjs'), /\/a%2520b%23c%3Fd\.mjs$/);
  });

  it('do not inherit the inspector from NODE_OPTIONS', () => {
    const before = process.env['NODE_OPTIONS'];
    try {
      process.env['NODE_OPTIONS'] = '--inspect-brk=0 --no-warnings --inspect';
      assert.equal(childEnvironment()['NODE_OPTIONS']?.trim(), '--no-warnings');
    } finally {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    }
  });

  it('can be started by a program that is not a file', async () => {
    const code = `
      import { Process } from 'holdfast';
      try {
        new Process(function here() {}).start();
      } catch (error) {
        console.log(JSON.stringify(error.message));
      }
      const child = new Process({ module: './test/programs/process-tree.mjs', export: 'facts' });
      await child.start().join();
      console.log(child.exitCode);`;
    const nodeArgs = ['--input-type=module', '--conditions=other', '--eval', code, '--', 'one'];
    const [refusal, facts, exitCode] = succeeded(await run('', { nodeArgs }));
    assert.match(String(refusal), /the function here has no module file/);
    assert.deepEqual((facts as { argv: string[] }).argv, ['one']);
    assert.equal(exitCode, 0);
  });

  it('can be started by a test of node:test, and are no tests themselves', async () => {
    const file = programFile('process-node-test.mjs');
    const { said, stderr, code } = await run('', {
      nodeArgs: ['--test', '--test-reporter=tap', file],
    });
    assert.equal(code, 0, stderr);
    assert.ok(said.includes('# pass 1') && said.includes('# fail 0'), said.join('\n'));
    assert.ok(
      said.some((line) => String(line).includes('the target ran')),
      said.join('\n'),
    );
  });
});

describe('Process: arguments', () => {
  it('that cannot be cloned are refused with their path, before anything is started', async () => {
    const [refusals, running] = succeeded(
      await run('process-arguments.mjs', { args: ['uncloneable'] }),
    ) as [Record<string, Refusal>, number];
    assertRefused(refusals, {
      function: ['TypeError', /^args\[1\]\.callback is a function/],
      symbol: ['TypeError', /^args\[0\] is a symbol/],
      array: ['TypeError', /^args\[0\]\[1\]\[0\] is a function/],
      key: ['TypeError', /^args\[0\]\["a b"\] is a function/],
      cyclic: ['TypeError', /^args\[0\]\.list\[1\]\.deep\.get\("key"\)\.values\[0\] is a symbol/],
      mapKey: ['TypeError', /^args\[0\]\.keys\(\[object Function\]\) is a function/],
      promise: [
        'TypeError',
        /^args\[0\]\.later cannot go to another process: .*could not be cloned/,
      ],
      weak: ['TypeError', /^args\[0\]\[0\] cannot go to another process/],
      weakRef: ['TypeError', /^args\[0\]\.ref cannot go to another process/],
      proxy: ['TypeError', /^args\[0\] cannot go to another process/],
      shared: ['TypeError', /^args\[0\]\.memory cannot go to another process/],
      guard: ['TypeError', /^args\[0\]\.guard is a Guard: .*pass the lock instead/],
      gone: [
        'ProcessError',
        /^args\[0\]\.semaphores\[0\] is a Semaphore that no other process can open/,
      ],
      later: ['ProcessError', /^args\[1\] is a Semaphore that/],
    });
    assert.equal(running, 0);
  });
});

describe('Process: options of Node', () => {
  const cases: [given: string, inherited: string][] = [
    ['', ''],
    [
      '--import tsx -r x --conditions=y --max-old-space-size=99',
      '--import tsx -r x --conditions=y --max-old-space-size=99',
    ],
    ['--inspect --inspect-brk=0 --inspect-port 9 --inspect-wait --inspect-publish-uid=http', ''],
    ['--input-type=module -e code', ''],
    ['--input-type module --eval code --no-warnings', '--no-warnings'],
    ['-p code', ''],
    [
      '--test --test-only --test-name-pattern x --test-timeout=1 --enable-source-maps',
      '--enable-source-maps',
    ],
    ['--watch --watch-path ./src --watch-preserve-output', ''],
    ['--experimental-strip-types --check', '--experimental-strip-types'],
  ];
  const words = (text: string) => text.split(' ').filter(Boolean);
  for (const [given, inherited] of cases) {
    it(`inherit from "${given}"`, () => {
      assert.deepEqual(inheritedOptions(words(given)), words(inherited));
    });
  }

  it('of an inspected program do not stop its children', async () => {
    const outcome = await run('process-tree.mjs', { nodeArgs: ['--inspect=0'], args: ['awaited'] });
    assert.deepEqual([outcome.code, outcome.said], [0, ['done']]);
    assert.equal(outcome.stderr.match(/Debugger listening/g)?.length, 1, outcome.stderr);
  });
});
