// `holdfast top`: as plain text, and in a terminal that tmux plays.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Event, Lock, Pool } from 'holdfast';
import { cli, cliFile, freshName, track, until } from '../support/index.js';

describe('holdfast top, written to a pipe', function () {
  this.timeout(180_000); // many processes, one after the other
  it('one table, without escapes, and the holder in it', async () => {
    const lock = track(new Lock({ name: freshName('Lock') }));
    const guard = lock.acquireSync();
    const { code, stdout } = await cli(['top', '--interval', '0.05', '--filter', lock.name]);
    assert.equal(code, 0);
    assert.ok(!stdout.includes('\u001B'));
    const lines = stdout.trimEnd().split('\n');
    assert.equal(lines.length, 3, stdout);
    assert.match(lines[2]!, new RegExp(`^Lock +${lock.name} .* ${process.pid} MainProcess$`));
    guard.release();
  });

  it('--count N: N tables, in which the rate is what happened between two looks', async () => {
    const lock = track(new Lock({ name: freshName('Lock') }));
    let isOver = false;
    const work = (async () => {
      while (!isOver) {
        lock.acquireSync().release();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const args = ['--interval', '0.1', '--count', '3', '--sort', 'used', '--filter', lock.name];
    const { stdout } = await cli(['top', ...args]);
    isOver = true;
    await work;
    const rates = [...stdout.matchAll(/^Lock +.*? {2,}([\d.]+) /gm)].map(([, rate]) =>
      Number(rate),
    );
    assert.equal(rates.length, 3, stdout);
    assert.ok(
      rates.every((rate) => rate > 0),
      stdout,
    );
  });

  it('Pools of other processes: their workers and their tasks', async () => {
    const name = freshName('Pool');
    const module = new URL('../programs/pool-targets.mjs', import.meta.url);
    const pool = new Pool({ processes: 2, execArgv: [], name });
    try {
      const gate = track(new Event());
      const target = { module, export: 'waits' };
      const tasks = Array.from({ length: 5 }, () => pool.run(target, gate, 1));
      await until(
        () => pool.inspect().workers.filter(({ since }) => since !== null).length === 2,
        'two tasks that run',
      );
      const { stdout } = await cli(['top', '--interval', '0.05', '--filter', name]);
      const line = stdout.split('\n').find((text) => text.startsWith(`${name} `));
      const cells = line?.slice(name.length).trim().split(/ {2,}/);
      assert.deepEqual(cells?.slice(0, 7), [String(process.pid), '2', '2', '3', '0.0', '0', '0']);
      gate.set();
      await Promise.all(tasks);
    } finally {
      await pool.terminate();
    }
  });

  it('wrong arguments: 64', async () => {
    for (const args of [['--sort', 'size'], ['--interval', '0'], ['--count', '0'], ['more']]) {
      assert.equal((await cli(['top', ...args])).code, 64, args.join(' '));
    }
  });
});

const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** A terminal of its own server, so that no other session is touched. */
class Terminal {
  readonly #socket = `hf-test-${process.pid}-${freshName().replace(/\W/g, '-')}`;

  constructor(command: string[], width: number, height: number) {
    const size = ['-x', String(width), '-y', String(height)];
    const quoted = command.map((word) => `'${word}'`).join(' ');
    // The pane stays when the command has ended, and shows its exit code.
    const line = `${quoted}; echo ended $?; exec cat`;
    this.#tmux(['-f', '/dev/null', 'new-session', '-d', ...size, line]);
  }

  #tmux(args: string[]): string {
    const { status, stdout, stderr } = spawnSync('tmux', ['-L', this.#socket, ...args], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout;
  }

  screen(): string {
    return this.#tmux(['capture-pane', '-p']);
  }

  async shows(what: string | RegExp): Promise<void> {
    const isThere = () => {
      const text = this.screen();
      return typeof what === 'string' ? text.includes(what) : what.test(text);
    };
    await until(isThere, `${String(what)} on the screen`).catch((cause: Error) => {
      throw new Error(`${cause.message}:\n${this.screen()}`, { cause });
    });
  }

  type(keys: string): void {
    this.#tmux(['send-keys', keys]);
  }

  resize(width: number, height: number): void {
    this.#tmux(['resize-window', '-x', String(width), '-y', String(height)]);
  }

  end(): void {
    spawnSync('tmux', ['-L', this.#socket, 'kill-server']);
  }
}

(hasTmux ? describe : describe.skip)('holdfast top, in a terminal', function () {
  this.timeout(180_000); // many processes, one after the other
  let terminal: Terminal;
  afterEach(() => terminal.end());

  it('shows the holder, sorts, filters, fits any size, and leaves the terminal whole', async () => {
    const names = Array.from({ length: 12 }, () => freshName('Lock'));
    const locks = names.map((name) => track(new Lock({ name })));
    const guard = locks[3]!.acquireSync();
    terminal = new Terminal([process.execPath, cliFile, 'top', '--interval', '0.1'], 120, 30);
    await terminal.shows(`${process.pid} MainProcess`);
    await terminal.shows('by used');
    terminal.type('s');
    await terminal.shows('by contended');
    terminal.type('/');
    terminal.type(names[3]!.slice(-4));
    await terminal.shows(/only ".*_"/);
    terminal.type('Enter');
    await terminal.shows(new RegExp(`only "${names[3]!.slice(-4)}"`));
    terminal.type('Escape');
    await terminal.shows(names[0]!);
    terminal.resize(60, 8);
    await terminal.shows(/\.\.\. \d+ more/);
    assert.ok(
      terminal
        .screen()
        .split('\n')
        .every((line) => [...line].length <= 60),
    );
    terminal.resize(110, 24);
    await terminal.shows(names.at(-1)!);
    terminal.type('q');
    await terminal.shows('ended 0');
    assert.ok(!terminal.screen().includes('CONTENDED/s'), 'the alternate screen was left');
    guard.release();
  });

  it('fits a small terminal with a Pool, and characters of two columns', async () => {
    const wide = '日本'.repeat(18);
    const lock = track(new Lock({ name: `${wide} ${freshName('Lock')}` }));
    const module = new URL('../programs/pool-targets.mjs', import.meta.url);
    const pool = new Pool({ processes: 1, execArgv: [], name: freshName('Pool') });
    try {
      await pool.run({ module, export: 'square' }, 2);
      terminal = new Terminal([process.execPath, cliFile, 'top', '--interval', '0.1'], 90, 12);
      await terminal.shows(/^\d+ objects, .*\n(.*\n)*POOL .*\n(.*\n)*q quit/);
      await terminal.shows(wide.slice(0, 8));
      terminal.resize(90, 4);
      await terminal.shows(/^\d+ objects, .*\n(.*\n){2}q quit/);
      terminal.type('q');
      await terminal.shows('ended 0');
    } finally {
      await pool.terminate();
      lock.close();
    }
  });
});
