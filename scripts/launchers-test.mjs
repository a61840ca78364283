// The packed tarball under what starts or packs programs: options of Node, loaders, compilers of
// TypeScript, bundlers, Next.js. Each is installed as a user would.
//
//   node scripts/launchers-test.mjs [tarball]

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { isMain, killProcessGroup, mustRun, run, Tally } from './common.mjs';
import { pack, withTemporary } from './pack-test.mjs';
import { Sandbox } from './sandbox.mjs';
import { toolDirectory } from './tools.mjs';

const watchdogMs = 5 * 60_000;

const packages = [
  'tsx@4',
  'esbuild@0.25',
  'rollup@4',
  'webpack@5',
  'import-in-the-middle@2',
  'next@15',
  'react@19',
  'react-dom@19',
];

/** A lock, a queue and a child: each launcher must bring the child to the same function. */
const program = (type) => `
  import { Lock, Process, Queue, parentProcess } from 'holdfast';
  export function work(queue${type}) {
    queue.putSync('work for ' + parentProcess()?.name);
  }
  if (parentProcess() === null) {
    const lock = new Lock({ name: 'launched' });
    (await lock.acquire()).release();
    const queue = new Queue${type ? '<string>' : ''}();
    const child = new Process(work, { args: [queue] }).start();
    console.log(await queue.get({ timeout: 60_000 }));
    await child.join();
    console.log('exit code', child.exitCode);
    queue.close();
    lock.close();
  }`;
const worked = ['work for MainProcess', 'exit code 0'];

const files = {
  'package.json': '{ "private": true, "type": "module" }',
  'program.mjs': program(''),
  'program.ts': program(': Queue<string>'),
  'hook.mjs': `
    import { register } from 'node:module';
    import { Hook } from 'import-in-the-middle';
    register('import-in-the-middle/hook.mjs', import.meta.url);
    new Hook(['holdfast'], (exports) => console.log('hooked', typeof exports.Lock));`,
  'esbuild.mjs': `
    import { build } from 'esbuild';
    const common = { entryPoints: ['program.mjs'], bundle: true, platform: 'node', format: 'esm' };
    await build({ ...common, outfile: 'esbuild/out.mjs', external: ['holdfast'] });
    await build({ ...common, outfile: 'inside/out.mjs', banner: {
      js: 'import { createRequire } from "node:module";' +
        'const require = createRequire(import.meta.url), __dirname = import.meta.dirname;',
    } });`,
  'rollup.mjs': `
    import { rollup } from 'rollup';
    const bundle = await rollup({ input: 'program.mjs', external: ['holdfast'] });
    await bundle.write({ file: 'rollup/out.mjs', format: 'es' });`,
  'webpack.mjs': `
    import webpack from 'webpack';
    const compiler = webpack({
      mode: 'production',
      target: 'node',
      entry: './program.mjs',
      experiments: { outputModule: true },
      externals: { holdfast: 'module holdfast' },
      output: {
        path: import.meta.dirname + '/webpack',
        filename: 'out.mjs',
        library: { type: 'module' },
      },
    });
    compiler.run((error, stats) => {
      const failed = error ?? (stats.hasErrors() ? stats.toString() : undefined);
      if (failed) throw new Error(failed);
    });`,
  'next/package.json': '{ "private": true, "type": "module" }',
  'next/next.config.mjs': `export default { serverExternalPackages: ['holdfast'] };`,
  'next/app/layout.js': `
    export default function Layout({ children }) {
      return <html><body>{children}</body></html>;
    }`,
  'next/app/api/route.js': `
    import { Lock } from 'holdfast';
    export const dynamic = 'force-dynamic';
    export async function GET() {
      const lock = new Lock({ name: 'route' });
      const guard = await lock.acquire();
      const answer = Response.json({ hold: guard.abandoned ? 'abandoned' : 'held' });
      guard.release();
      lock.close();
      return answer;
    }`,
};

const bin = (name, file) => path.join('node_modules', name, file);

class Launchers {
  constructor(directory) {
    this.directory = directory;
    this.sandbox = new Sandbox();
    this.env = { ...this.sandbox.env, HOLDFAST_NATIVE: '', NEXT_TELEMETRY_DISABLED: '1' };
  }

  async node(args, { node = process.execPath, cwd = this.directory } = {}) {
    const { code, output } = await run(node, args, {
      cwd,
      env: this.env,
      capture: true,
      timeoutMs: watchdogMs,
    });
    return { code, output };
  }

  /** Runs Node, which must end well and say each of the texts. */
  async mustSay(args, expected = worked, options = {}) {
    const { code, output } = await this.node(args, options);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}`);
    for (const text of expected) {
      if (!output.includes(text)) throw new Error(`${args.join(' ')}: does not say "${text}"`);
    }
  }

  /** Starts Node, and calls `use` with what waits for a text in its output; then ends it. */
  async started(args, cwd, use) {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...this.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    let seen = () => {};
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      output += text;
      seen();
    });
    const says = (text, times = 1) =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`${args.join(' ')}: does not say "${text}"`));
        const watchdog = setTimeout(late, watchdogMs);
        seen = () => {
          if (output.split(text).length <= times) return;
          clearTimeout(watchdog);
          resolve();
        };
        seen();
      });
    try {
      await use(says);
    } finally {
      const ended = new Promise((resolve) => child.once('close', resolve));
      killProcessGroup(child.pid);
      await ended;
    }
  }
}

/** Options of Node that change what a program may do. */
async function testNodeOptions(tally, launchers) {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const allowed = ['--allow-addons', '--allow-child-process'];
  allowed.push(`--allow-fs-read=${launchers.directory}/*`); // and nothing else
  const options = {
    permission: [permission, ...allowed],
    'frozen-intrinsics': ['--frozen-intrinsics'],
    'disable-proto=delete': ['--disable-proto=delete'],
  };
  for (const [name, args] of Object.entries(options)) {
    await tally.check(`node --${name}`, () => launchers.mustSay([...args, 'program.mjs']));
  }
  await tally.check('node --watch starts it anew', () =>
    launchers.started(['--watch', 'program.mjs'], launchers.directory, async (says) => {
      await says('exit code 0');
      const file = path.join(launchers.directory, 'program.mjs');
      writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
      await says('exit code 0', 2);
    }),
  );
}

async function testLoaders(tally, launchers) {
  await tally.check('tsx', () => launchers.mustSay([bin('tsx', 'dist/cli.mjs'), 'program.ts']));
  await tally.check('node --import tsx', () =>
    launchers.mustSay(['--import', 'tsx', 'program.ts']),
  );
  await tally.check('types stripped by Node 24', async () => {
    const name = `node-${process.platform}-${process.arch}`;
    const node = path.join(await toolDirectory(name, '24.21.0'), 'bin/node');
    await launchers.mustSay(['program.ts'], worked, { node });
  });
  await tally.check('import-in-the-middle', () =>
    launchers.mustSay(['--import', './hook.mjs', 'program.mjs'], [...worked, 'hooked function']),
  );
}

async function testBundlers(tally, launchers) {
  for (const bundler of ['esbuild', 'rollup', 'webpack']) {
    await tally.check(bundler, async () => {
      await launchers.mustSay([`${bundler}.mjs`], []);
      await launchers.mustSay([`${bundler}/out.mjs`]);
    });
  }
  await tally.check('a bundler that takes holdfast in is told what to do', async () => {
    const wanted = 'declare holdfast external';
    const { code, output } = await launchers.node([
      '--input-type=module',
      '--eval',
      `await import('./inside/out.mjs').catch(({ message }) => console.log(message))`,
    ]);
    if (code !== 0 || !output.includes(wanted)) throw new Error(`it does not say "${wanted}"`);
  });
}

/** A port of this machine that nobody listens on now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function testNext(tally, launchers) {
  const cwd = path.join(launchers.directory, 'next');
  const next = path.join('..', bin('next', 'dist/bin/next'));
  await tally.check('Next.js, serverExternalPackages', async () => {
    await launchers.mustSay([next, 'build'], [], { cwd });
    const port = await freePort();
    const args = [next, 'start', '-H', '127.0.0.1', '-p', String(port)];
    await launchers.started(args, cwd, async (says) => {
      await says('Ready in');
      const answer = await fetch(`http://127.0.0.1:${port}/api`);
      const text = await answer.text();
      if (text !== '{"hold":"held"}') throw new Error(`it answers ${answer.status}: ${text}`);
    });
  });
}

/** Adds a check for each launcher to the tally. */
export async function testLaunchers(tally, tarball) {
  await withTemporary(async (directory) => {
    const launchers = new Launchers(directory);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
      writeFileSync(path.join(directory, file), text);
    }
    try {
      await tally.check('the launchers install, with the tarball', () =>
        mustRun('npm', ['install', '--no-audit', '--no-fund', tarball, ...packages], {
          cwd: directory,
          timeoutMs: 10 * 60_000,
        }),
      );
      await testNodeOptions(tally, launchers);
      await testLoaders(tally, launchers);
      await testBundlers(tally, launchers);
      await testNext(tally, launchers);
    } finally {
      launchers.sandbox.remove();
    }
  });
}

if (isMain(import.meta)) {
  const tally = new Tally();
  await withTemporary(async (directory) => {
    await testLaunchers(tally, process.argv[2] ?? (await pack(directory)).tarball);
  });
  tally.finish();
}
