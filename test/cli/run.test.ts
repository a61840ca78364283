// `holdfast run`, side by side with flock(1) where that is there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BoundedSemaphore, Lock, ReadWriteLock } from 'holdfast';
import {
  Program,
  cli,
  freshName,
  run,
  startCli,
  temporaryDirectory,
  track,
  until,
} from '../support/index.js';

/** Prints `in`, and ends with 0 when its standard input ends. */
const waits = ['sh', '-c', 'echo in; read line; exit 0'];

interface Tool {
  /** Starts the tool with options, for the lock of this test. */
  start(options: string[], command: string[]): Program;
  /** Runs it to its end and returns its exit code. */
  code(options: string[], command: string[]): Promise<number | null>;
}

function holdfastTool(): Tool {
  // Their exclusive locks and their shared ones are of one kind, as with flock(1).
  const name = freshName('ReadWriteLock');
  const args = (options: string[], command: string[]) => {
    const mode = options.includes('-s') ? [] : ['-x'];
    return ['run', ...mode, ...options, name, ...command];
  };
  return {
    start: (options, command) => startCli(args(options, command)),
    code: async (options, command) => (await cli(args(options, command))).code,
  };
}

function flockTool(): Tool {
  const file = path.join(temporaryDirectory(), 'lock');
  writeFileSync(file, '');
  return {
    start: (options, command) => new Program('flock', { args: [...options, file, ...command] }),
    code: async (options, command) =>
      (await run('flock', { args: [...options, file, ...command], input: '' })).code,
  };
}

const tools: Record<string, () => Tool> = { 'holdfast run': holdfastTool };
if (spawnSync('flock', ['--version']).status === 0) tools['flock(1)'] = flockTool;

for (const [toolName, makeTool] of Object.entries(tools)) {
  describe(`a command under a lock: ${toolName}`, function () {
    this.timeout(180_000); // many processes, one after the other
    let tool: Tool;
    beforeEach(() => (tool = makeTool()));

    async function held(options: string[] = []): Promise<Program> {
      const holder = tool.start(options, waits);
      await holder.line('in');
      return holder;
    }
    async function letGo(holder: Program): Promise<void> {
      holder.closeInput();
      assert.equal((await holder.end()).code, 0);
    }

    it('ends with the exit code of the command', async () => {
      assert.equal(await tool.code([], ['true']), 0);
      assert.equal(await tool.code([], ['sh', '-c', 'exit 7']), 7);
    });

    it('128 and the signal, if a signal ended the command', async () => {
      assert.equal(await tool.code([], ['sh', '-c', 'kill -TERM $$']), 128 + 15);
    });

    it('69 if the command cannot be started', async () => {
      assert.equal(await tool.code([], ['/nonexistent/command']), 69);
    });

    it('-c runs a command line by the shell', async () => {
      assert.equal(await tool.code([], ['-c', 'exit $((2 + 2))']), 4);
    });

    it('-n does not wait: 1, or the code of -E', async () => {
      const holder = await held();
      assert.equal(await tool.code(['-n'], ['true']), 1);
      assert.equal(await tool.code(['-n', '-E', '9'], ['true']), 9);
      await letGo(holder);
      assert.equal(await tool.code(['-n'], ['true']), 0);
    });

    it('-w waits so many seconds, and no longer', async () => {
      const holder = await held();
      const began = performance.now();
      assert.equal(await tool.code(['-w', '0.3'], ['true']), 1);
      assert.ok(performance.now() - began >= 300);
      await letGo(holder);
      assert.equal(await tool.code(['-w', '20'], ['true']), 0);
    });

    it('waits until the holder has ended', async () => {
      const holder = await held();
      const next = tool.start([], ['echo', 'next']);
      assert.equal(await tool.code(['-n'], ['true']), 1);
      assert.equal(next.stdout, '');
      await letGo(holder);
      await next.line('next');
      assert.equal((await next.end()).code, 0);
    });

    it('-s lets others in that share, and nobody else', async () => {
      const readers = [await held(['-s']), await held(['-s'])];
      assert.equal(await tool.code(['-n'], ['true']), 1);
      for (const reader of readers) await letGo(reader);
      const writer = await held();
      assert.equal(await tool.code(['-n', '-s'], ['true']), 1);
      await letGo(writer);
    });

    it('killed with SIGKILL: the command runs on, and the lock is held until it has ended', async () => {
      const holder = tool.start([], ['sh', '-c', 'echo in $$; exec sleep 60']);
      const pid = Number((await holder.line('in')).slice('in '.length));
      holder.signal('SIGKILL');
      await until(() => isZombieOrGone(holder.pid), 'the death of the holder');
      assert.equal(await tool.code(['-n'], ['true']), 1);
      process.kill(pid, 'SIGKILL');
      assert.equal(await tool.code(['-w', '20'], ['true']), 0);
      await holder.end();
    });

    it('wrong arguments: 64', async () => {
      assert.equal(await tool.code(['--no-such-option'], ['true']), 64);
    });
  });
}

/** Has it been killed, whether or not its parent has heard of it? */
function isZombieOrGone(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() === '' || stdout.startsWith('Z');
}

describe('holdfast run', function () {
  this.timeout(180_000); // many processes, one after the other
  it('the Lock is that of Node programs, both ways', async () => {
    const lock = track(new Lock({ name: freshName('Lock') }));
    const guard = lock.acquireSync();
    assert.equal((await cli(['run', '-n', lock.name, 'true'])).code, 1);
    guard.release();
    const holder = startCli(['run', lock.name, '--', ...waits]);
    await holder.line('in');
    assert.equal(lock.tryAcquire(), null);
    assert.equal(lock.inspect().owner?.processName, 'run sh');
    assert.equal(lock.inspect().owner?.pid, holder.pid);
    holder.closeInput();
    (await lock.acquire({ timeout: 20_000 })).release();
    assert.equal((await holder.end()).code, 0);
  });

  it('a name that belongs to a ReadWriteLock or a BoundedSemaphore is that', async () => {
    const lock = track(new ReadWriteLock({ name: freshName('ReadWriteLock') }));
    const reader = lock.acquireSharedSync();
    assert.equal((await cli(['run', '-n', lock.name, 'true'])).code, 1);
    assert.equal((await cli(['run', '-n', '--shared', lock.name, 'true'])).code, 0);
    reader.release();
    assert.equal((await cli(['run', '-n', lock.name, 'true'])).code, 0);
    const semaphore = track(new BoundedSemaphore(1, { name: freshName('BoundedSemaphore') }));
    const permit = semaphore.acquireSync();
    assert.equal((await cli(['run', '-n', semaphore.name, 'true'])).code, 1);
    permit.release();
    assert.equal((await cli(['run', '-n', semaphore.name, 'true'])).code, 0);
  });

  it('--shared for a name that is a Lock is refused: it would exclude nobody', async () => {
    const lock = track(new Lock({ name: freshName('Lock') }));
    const { code, stderr } = await cli(['run', '--shared', lock.name, 'true']);
    assert.equal(code, 71);
    assert.match(stderr, /belongs to a Lock|is a Lock|Lock/);
  });

  it('--permits N lets N commands in', async () => {
    const name = freshName('BoundedSemaphore');
    const holders = ['1', '2'].map(() => startCli(['run', '--permits', '2', name, ...waits]));
    for (const holder of holders) await holder.line('in');
    assert.equal((await cli(['run', '--permits', '2', '-n', name, 'true'])).code, 1);
    for (const holder of holders) holder.closeInput();
    for (const holder of holders) await holder.end();
  });

  it('options may stand behind NAME if `--` follows; NAME may follow `--`', async () => {
    const name = freshName('Lock');
    const { code, stdout } = await cli(['run', name, '--timeout', '5', '--', 'echo', '--', '-n']);
    assert.equal(code, 0);
    assert.equal(stdout, '-- -n\n');
    assert.equal((await cli(['run', name, 'printf', '%s', '--help'])).stdout, '--help');
    const dashed = `-${name}`;
    const lock = track(new Lock({ name: dashed }));
    const guard = lock.acquireSync();
    assert.equal((await cli(['run', '-n', '--', dashed, 'true'])).code, 1);
    guard.release();
    assert.equal((await cli(['run', '-n', '--', dashed, '--', 'echo', '--'])).stdout, '--\n');
    assert.equal((await cli(['run', '--', dashed, '-c', 'echo $((1 + 1))'])).stdout, '2\n');
  });

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'] as const) {
    it(`${signal} is passed on; the command decides when it ends`, async () => {
      const trap = `trap 'echo got it; exit 5' ${signal.slice(3)}`;
      const script = `${trap}; echo in; while :; do sleep 0.05; done`;
      const holder = startCli(['run', freshName('Lock'), 'sh', '-c', script]);
      await holder.line('in');
      holder.signal(signal);
      await holder.line('got it');
      assert.equal((await holder.end()).code, 5);
    });
  }

  (existsSync('/proc/self/fdinfo/0') ? it : it.skip)(
    'the input of the command stays one that blocks, also after a signal',
    async () => {
      const script = `trap 'cat /proc/self/fdinfo/0' INT; echo in; while :; do sleep 0.05; done`;
      const holder = startCli(['run', freshName('Lock'), 'sh', '-c', script]);
      await holder.line('in');
      holder.signal('SIGINT');
      const flags = await holder.line('flags:');
      assert.equal(parseInt(flags.slice('flags:'.length), 8) & constants.O_NONBLOCK, 0, flags);
      holder.signal('SIGTERM');
      await holder.end();
    },
  );

  it('what the command starts in the background does not keep the lock', async () => {
    const name = freshName('Lock');
    const script = 'sleep 30 >/dev/null 2>&1 & echo $!';
    const { code, stdout } = await cli(['run', name, 'sh', '-c', script]);
    assert.equal(code, 0);
    assert.equal((await cli(['run', '-n', name, 'true'])).code, 0);
    process.kill(Number(stdout), 'SIGKILL');
  });

  describe('after the death of a holder', function () {
    this.timeout(180_000); // many processes, one after the other
    async function abandonedLock(): Promise<string> {
      const lock = track(new Lock({ name: freshName('Lock') }));
      const holder = startCli(['run', lock.name, 'sh', '-c', 'echo in $$; exec sleep 60']);
      const pid = Number((await holder.line('in')).slice('in '.length));
      holder.signal('SIGKILL');
      process.kill(pid, 'SIGKILL');
      await holder.end();
      return lock.name;
    }
    const tells = ['sh', '-c', 'echo "told ${HOLDFAST_ABANDONED:-nothing}"; exit ${CODE:-0}'];

    it('the command runs; a message says what happened, once', async () => {
      const name = await abandonedLock();
      const { code, stdout, stderr } = await cli(['run', name, ...tells]);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: 'told nothing\n' });
      assert.match(stderr, /the last holder of Lock .* died while it held it/);
      assert.equal((await cli(['run', name, ...tells])).stderr, '');
    });

    it('--abandoned=fail: 75, the command does not run, and the next one is told', async () => {
      const name = await abandonedLock();
      for (let i = 0; i < 2; i++) {
        const { code, stdout } = await cli(['run', '--abandoned=fail', name, ...tells]);
        assert.deepEqual({ code, stdout }, { code: 75, stdout: '' });
      }
      assert.match((await cli(['run', name, ...tells])).stderr, /died/);
      assert.equal((await cli(['run', '--abandoned=fail', name, ...tells])).code, 0);
    });

    it('--abandoned=ask-command: the command is told, until one ends with 0', async () => {
      const name = await abandonedLock();
      const ask = (code: string) =>
        cli(['run', '--abandoned=ask-command', name, ...tells], { env: { CODE: code } });
      for (const code of [6, 0]) {
        const { stdout, code: ended } = await ask(String(code));
        assert.deepEqual({ stdout, ended }, { stdout: 'told 1\n', ended: code });
      }
      assert.equal((await ask('0')).stdout, 'told nothing\n');
    });
  });

  it('wrong arguments: 64, before anything is touched', async () => {
    const name = freshName('Lock');
    for (const args of [
      [],
      [name],
      ['--permits', '0', name, 'true'],
      ['--permits', '2', '--shared', name, 'true'],
      ['--timeout', '-1', name, 'true'],
      ['--timeout', 'soon', name, 'true'],
      ['--timeout', '1', '--no-wait', name, 'true'],
      ['--exit-code', '256', name, 'true'],
      ['--abandoned=maybe', name, 'true'],
      [name, '-c'],
      ['', 'true'],
    ]) {
      const { code, stderr } = await cli(['run', ...args]);
      assert.equal(code, 64, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /^holdfast: run: /);
    }
  });
});
