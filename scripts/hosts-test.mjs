// Tests the packed tarball inside Jest, Vitest, pm2 and ts-node, each installed as a user would.
//
//   node scripts/hosts-test.mjs [tarball]

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMain, mustRun, run, Tally } from './common.mjs';
import { pack, withTemporary } from './pack-test.mjs';
import { Sandbox } from './sandbox.mjs';

const watchdogMs = 3 * 60_000;
/** Jest's, for one test: on a busy machine it takes seconds to start a Process. */
const jestPatience = '--testTimeout=60000';

const packages = ['jest@30', 'vitest@3', 'pm2@6', 'ts-node@10', 'typescript@5.9', '@types/node@20'];

/** The test file for both runners. It has a copy of the package of its own. */
const suite = (name) => `
  test('wake-ups arrive', async () => {
    const mine = new Lock({ name: 'hosted' });
    const guard = await mine.acquire();
    const waits = [mine.acquire(), mine.acquire()];
    guard.release();
    for (const wait of waits) (await wait).release();
    mine.close();
  });

  test('errors and objects are instances', () => {
    const lock = new Lock();
    expect(lock).toBeInstanceOf(Lock);
    expect(() => lock.release()).toThrow(NotLockedError);
    expect(() => lock.release()).toThrow(Error);
    expect(() => new Lock({ name: 1 })).toThrow(TypeError);
    lock.close();
  });

  test('items and objects travel', async () => {
    const queue = new Queue();
    await queue.put({ list: [1, new Map([['a', 1n]])], bytes: Buffer.from('x') });
    const { list, bytes } = await queue.get();
    expect([list[0], [...list[1]], String(bytes)]).toEqual([1, [['a', 1n]], 'x']);
    const child = new Process({ module: target, export: 'answer' }, { args: [queue, '${name}'] });
    child.start();
    expect(await queue.get({ timeout: 20_000 })).toBe('${name} in a child');
    await child.join();
    expect(child.exitCode).toBe(0);
    queue.close();
  });

  test('a function is refused', () => {
    expect(() => new Process(function local() {}).start()).toThrow(ProcessError);
  });
`;

const names = 'Lock, NotLockedError, Process, ProcessError, Queue';

const files = {
  'target.cjs': `exports.answer = (queue, text) => queue.putSync(text + ' in a child');`,
  ...Object.fromEntries(
    ['first', 'second'].flatMap((name) => [
      [
        `jest/${name}.test.js`,
        `const { ${names} } = require('holdfast');
         const target = require.resolve('../target.cjs');
         ${suite(name)}`,
      ],
      [
        `vitest/${name}.test.mjs`,
        `import { expect, test } from 'vitest';
         import { ${names} } from 'holdfast';
         const target = new URL('../target.cjs', import.meta.url);
         ${suite(name)}`,
      ],
    ]),
  ),
  'jest/package.json': '{ "private": true }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'commonjs', target: 'es2022', strict: true, types: ['node'] },
  }),
  'program.ts': `
    import { Process, parentProcess } from 'holdfast';
    export function work(text: string): void {
      console.log(text, parentProcess()?.name);
    }
    async function main(): Promise<void> {
      const byFunction = new Process(work, { args: ['by function'] });
      const byModule = new Process<typeof work>(
        { module: './program.ts', export: 'work' },
        { args: ['by module'] },
      );
      for (const child of [byFunction, byModule]) await child.start().join();
      console.log('codes', byFunction.exitCode, byModule.exitCode);
    }
    if (parentProcess() === null) void main();`,
  ...Object.fromEntries(
    ['cjs', 'mjs'].map((kind) => [
      `service.${kind}`,
      `${
        kind === 'cjs'
          ? `const { Process, parentProcess } = require('holdfast'); exports.work = work;`
          : `import { Process, parentProcess } from 'holdfast'; export { work };`
      }
       async function work(file) {
         const { writeFileSync } = await import('node:fs');
         writeFileSync(file, parentProcess().name);
       }
       if (parentProcess() === null) {
         const child = new Process(work, { args: [process.env.OUTPUT] }).start();
         child.join().then(() => setInterval(() => {}, 1000));
       }`,
    ]),
  ),
};

const bin = (name, file) => path.join('node_modules', name, file);

/** Runs node in the project, and checks that its output has the text. */
async function mustSay(directory, sandbox, args, expected) {
  const { code, output } = await run(process.execPath, args, {
    cwd: directory,
    env: { ...sandbox.env, HOLDFAST_NATIVE: '' },
    capture: true,
    timeoutMs: watchdogMs,
  });
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}`);
  for (const text of expected) {
    if (!output.includes(text)) throw new Error(`${args.join(' ')}: does not say "${text}"`);
  }
}

/** Starts a program in pm2, and waits for the file that its Process writes. */
async function testPm2(directory, sandbox, kind, mode) {
  const name = `${mode}-${kind}`;
  const output = path.join(directory, `${name}.txt`);
  const env = {
    ...sandbox.env,
    HOLDFAST_NATIVE: '',
    PM2_HOME: path.join(directory, 'pm2'),
    OUTPUT: output,
  };
  const pm2 = (...args) =>
    mustRun(process.execPath, [bin('pm2', 'bin/pm2'), ...args], {
      cwd: directory,
      env,
      timeoutMs: watchdogMs,
    });
  try {
    await pm2(
      'start',
      `service.${kind}`,
      '--name',
      name,
      ...(mode === 'cluster' ? ['-i', '1'] : []),
    );
    const end = Date.now() + 30_000;
    for (;;) {
      const said = readIfThere(output);
      if (said === 'MainProcess') return;
      if (Date.now() > end) throw new Error(`the Process wrote ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await pm2('kill');
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Adds a check for each host to the tally. */
export async function testHosts(tally, tarball) {
  await withTemporary(async (directory) => {
    const sandbox = new Sandbox();
    const say = (args, expected) => mustSay(directory, sandbox, args, expected);
    for (const [file, text] of Object.entries({ 'package.json': '{"private": true}', ...files })) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), text);
    }
    try {
      await tally.check('the hosts install, with the tarball', () =>
        mustRun('npm', ['install', '--no-audit', '--no-fund', tarball, ...packages], {
          cwd: directory,
          timeoutMs: 10 * 60_000,
        }),
      );
      for (const [how, ...options] of [
        ['two files in one process', '--runInBand'],
        ['a process for each file', '--maxWorkers=2'],
      ]) {
        await tally.check(`Jest, ${how}`, () =>
          say(
            [bin('jest', 'bin/jest.js'), ...options, jestPatience, '--rootDir', 'jest', '--json'],
            ['"numPassedTests":8,'], // what is for people goes to stderr
          ),
        );
      }
      for (const pool of ['forks', 'threads', 'vmForks', 'vmThreads']) {
        await tally.check(`Vitest, ${pool}`, () =>
          say(
            [bin('vitest', 'vitest.mjs'), 'run', '--root', 'vitest', `--pool=${pool}`],
            ['8 passed'],
          ),
        );
      }
      const worked = ['by function MainProcess', 'by module MainProcess', 'codes 0 0'];
      await tally.check('ts-node', () =>
        say([bin('ts-node', 'dist/bin.js'), 'program.ts'], worked),
      );
      await tally.check('ts-node/register', () =>
        say(['--require', 'ts-node/register', 'program.ts'], worked),
      );
      for (const mode of ['fork', 'cluster']) {
        for (const kind of ['cjs', 'mjs']) {
          await tally.check(`pm2, ${mode}, ${kind}`, () => testPm2(directory, sandbox, kind, mode));
        }
      }
    } finally {
      sandbox.remove();
    }
  });
}

if (isMain(import.meta)) {
  const tally = new Tally();
  await withTemporary(async (directory) => {
    await testHosts(tally, process.argv[2] ?? (await pack(directory)).tarball);
  });
  tally.finish();
}
