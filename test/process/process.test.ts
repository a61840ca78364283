// What a Process does: it starts, ends, is waited for, and has children. All of it is tested with
// both start methods.
import assert from 'node:assert/strict';
import os from 'node:os';
import { list } from 'holdfast';
import { Program, methods, nobodySurvives, run, survivors } from '../support/program.js';

type Row = Record<string, unknown>;
type Refusal = [name: string, code: string | null, message: string];

/** Runs a scenario that has to succeed, and returns what its program said. */
async function says(
  program: string,
  scenario: string,
  options: Parameters<typeof run>[1] = {},
): Promise<unknown[]> {
  const { args = [] } = options;
  const outcome = await run(program, { ...options, args: [scenario, ...args] });
  assert.equal(outcome.stderr, '', outcome.stdout);
  assert.equal(outcome.code, 0);
  return outcome.said;
}

afterEach(nobodySurvives);

for (const method of methods) {
  describe(`Process by ${method}`, () => {
    it('runs a function of the main module, which in the child is not the main module', async () => {
      const [ours, theirs, ended, info] = (await says('process-tree.mjs', 'facts', {
        method,
        args: ['x', '--y'],
      })) as [Row, Row, unknown[], unknown[]];
      // Parent and child print independently, in either order.
      const [parent, child] = 'before' in ours ? [ours, theirs] : [theirs, ours];
      assert.deepEqual(parent['before'], ['Process-1', null, null, false]);
      assert.deepEqual(parent['during'], [true, null, true]);
      assert.deepEqual(child, {
        name: 'Process-1',
        pid: parent['child'],
        daemon: false,
        parent: { name: 'MainProcess', pid: parent['pid'], alive: true },
        argv: ['facts', 'x', '--y'],
        isMain: false,
        method,
      });
      assert.deepEqual(ended, [true, 0, false, 0]);
      const main = { name: 'MainProcess', pid: parent['pid'], daemon: false };
      assert.deepEqual(info, [main, null, true]);
    });

    it('names processes as Python does', async () => {
      const said = (await says('process-tree.mjs', 'family', { method })) as {
        name: string;
        parent: Row;
      }[];
      assert.deepEqual(
        said.map(({ name, parent }) => [name, parent['name'], parent['alive']]),
        [
          ['Process-1', 'MainProcess', true],
          ['Process-1:1', 'Process-1', true],
          ['Anna', 'Process-1', true],
          ['Process-1:3', 'Process-1', true],
          ['Process-2', 'MainProcess', true],
        ],
      );
    });

    it('names the process of a holder, also where a worker thread holds', async () => {
      const said = (await says('process-tree.mjs', 'owner', { method })) as [Row, Row, [Row, Row]];
      assert.equal(said[0]['processName'], 'MainProcess');
      assert.equal(said[1]['processName'], 'Büro');
      assert.equal(said[2][0]['processName'], 'Process-2');
      assert.notEqual(said[2][0]['threadId'], 0);
      assert.equal(said[2][1]['name'], 'Process-2');
    });

    it('hands over clones, and objects of holdfast as themselves', async () => {
      assert.deepEqual(await says('process-arguments.mjs', 'arguments', { method }), [[0, 4]]);
    });

    it('shares queues', async () => {
      assert.deepEqual(await says('process-arguments.mjs', 'queues', { method }), [[0, 9900]]);
    });

    it('keeps an anonymous object until the child has it', async () => {
      const [[exitCode, after]] = (await says('process-arguments.mjs', 'closedAtOnce', {
        method,
      })) as [[number, Refusal]];
      assert.equal(exitCode, 0);
      assert.equal(after[1], 'ERR_HOLDFAST_NOT_FOUND');
    });

    it('does not fail because its parent closes the lock right after start()', async () => {
      assert.deepEqual(await says('process-arguments.mjs', 'closedWhileHeld', { method }), [
        [0, 'HeldError'],
      ]);
    });

    it('needs nothing more from a parent that blocks after start()', async () => {
      assert.deepEqual(await says('process-arguments.mjs', 'blocked', { method }), ['released']);
    });

    it('ends with the exit code that goes with how the target ends', async () => {
      const outcome = await run('process-ends.mjs', { method, args: ['endings'] });
      assert.deepEqual(outcome.said, [
        {
          returns: 0,
          strayHandles: 0,
          exitCode: 7,
          exits: 5,
          throws: 1,
          rejects: 1,
          never: 13,
          uncaught: 1,
          killsItself: -9,
        },
      ]);
      assert.match(outcome.stderr, /Process throws:\nError: thrown on purpose\n {4}at /);
      assert.match(outcome.stderr, /\[cause\]: TypeError: the cause/);
      assert.match(outcome.stderr, /Process rejects:\n'a string, on purpose'/);
      assert.match(
        outcome.stderr,
        /Process never: the target waits for something that cannot come/,
      );
      assert.match(outcome.stderr, /uncaught on purpose/);
    });

    it('is ended by terminate() and kill()', async () => {
      assert.deepEqual(await says('process-ends.mjs', 'signals', { method }), [
        [true, -9, true, -15],
      ]);
    });

    it('join() waits, times out, is aborted, refuses', async () => {
      const [row, joined] = (await says('process-ends.mjs', 'join', { method })) as [
        Row,
        boolean[],
      ];
      for (const [name, code, message] of row['early'] as Refusal[]) {
        assert.deepEqual([name, code], ['ProcessError', 'ERR_HOLDFAST_PROCESS']);
        assert.match(message, /^Process-1 was not started/);
      }
      assert.equal(row['timedOut'], false);
      assert.ok((row['waited'] as number) >= 199, `waited ${row['waited']} ms`);
      assert.equal(row['zero'], false);
      assert.equal(row['aborted'], true);
      assert.equal(row['abortedLater'], 'TimeoutError');
      assert.deepEqual(row['wrong'], ['RangeError', 'TypeError', 'TypeError', 'TypeError']);
      assert.match((row['twice'] as Refusal)[2], /was started before/);
      assert.deepEqual(joined, [true, true, null, true]);
    });

    it('loses nothing of what the target has written to a pipe', async () => {
      const { stdout, stderr } = await run('process-ends.mjs', { method, args: ['flood'] });
      assert.deepEqual([stdout.length, stderr.length], [3_000_000, 3_000_000]);
    });

    it('keeps its parent alive, with or without join()', async () => {
      assert.deepEqual(await says('process-tree.mjs', 'awaited', { method }), ['done']);
    });

    it('waits for its own children, and terminates its daemons', async () => {
      const [pids, waitedFor, exitCode] = await says('process-tree.mjs', 'grandchildren', {
        method,
      });
      assert.equal((pids as number[]).length, 2);
      assert.deepEqual([waitedFor, exitCode], ['waited for', 0]);
    });

    it('as a daemon: ends with its parent, and does not keep it', async () => {
      const [pid] = await says('process-tree.mjs', 'daemonLeft', { method });
      assert.equal(typeof pid, 'number'); // afterEach sees that it is gone
    });

    it('as a daemon: ends with its parent that calls process.exit()', async () => {
      const { code } = await run('process-tree.mjs', { method, args: ['daemonAtExit'] });
      assert.equal(code, 3);
    });

    it('as a daemon: join() keeps the parent', async () => {
      assert.deepEqual(await says('process-tree.mjs', 'daemonJoined', { method }), [
        'done',
        [true, true, 0],
      ]);
    });

    it('as a daemon: may not have children', async () => {
      const [[code, message]] = (await says('process-tree.mjs', 'daemonChildren', { method })) as [
        [string, string],
      ];
      assert.equal(code, 'ERR_HOLDFAST_PROCESS');
      assert.match(message, /a daemon may not start Processes/);
    });

    it('SIGKILL of the parent ends daemons, and no other child', async () => {
      const program = new Program('process-tree.mjs', { method, args: ['killed'] });
      await program.line('');
      program.signal('SIGKILL');
      const { signal, said } = await program.outcome(); // this waits for the orphan, too
      assert.equal(signal, 'SIGKILL');
      assert.deepEqual(said, ['ready', 'child survived']);
    });

    it('runs in the directory and environment of start()', async () => {
      assert.deepEqual(await says('process-starts.mjs', 'wherever', { method }), [
        ['/', 'blue', 0],
      ]);
    });

    it('starts more children than are idle', async () => {
      assert.deepEqual(await says('process-starts.mjs', 'burst', { method }), [12, [12, true]]);
    });
  });
}

describe('Process by forkserver: idle children', () => {
  const method = 'forkserver';

  it('keep no program alive', async () => {
    assert.deepEqual(await says('process-starts.mjs', 'idleOnly', { method }), [method]);
  });

  for (const ms of ['0', '700']) {
    it(`end when their parent is killed, ${ms} ms old`, async () => {
      if (process.platform !== 'linux') return; // survivors() sees nothing there
      const program = new Program('process-starts.mjs', { method, args: ['idleLonger', ms] });
      await program.line('');
      assert.equal(survivors().length, 1 + Math.min(2, os.availableParallelism()));
      program.signal('SIGKILL');
      await program.outcome();
    });
  }

  it('have preloaded their modules, and warn once about one that cannot be loaded', async () => {
    const { said, stderr, code } = await run('process-starts.mjs', { args: ['preload'] });
    assert.equal(code, 0, stderr);
    const colours = said.map((row) => (row as unknown[])[2]);
    assert.deepEqual(colours, [1, 1, 1]);
    assert.equal(stderr.match(/HOLDFAST_PRELOAD/g)?.length, 1, stderr);
    assert.match(stderr, /preload of file:.*process-no-such-file\.mjs failed: /);
  });

  it('are not ended by a Ctrl-C that their parent survives', async () => {
    if (process.platform !== 'linux') return;
    const env = { SAY_PRELOADED: '1' };
    const program = new Program('process-starts.mjs', { args: ['interrupted'], env });
    await program.line('');
    for (const pid of survivors()) process.kill(pid, 'SIGINT');
    const { said, stderr } = await program.outcome();
    // The first two lines are from the child that was interrupted and then did the work. The child
    // after it may print later.
    assert.deepEqual(said.slice(0, 2), ['preloaded', [process.cwd(), null, 1]], stderr);
    assert.ok(said.includes(0));
  });

  it('are asked for by setStartMethod(), which refuses wrong arguments', async () => {
    const [[before, wrong, unchanged, after]] = (await says(
      'process-starts.mjs',
      'startMethods',
    )) as [[string, Refusal[], string, string]];
    assert.deepEqual([before, unchanged, after], ['spawn', 'spawn', 'spawn']);
    assert.deepEqual(
      wrong.map(([name]) => name),
      [
        'ProcessError',
        'TypeError',
        'RangeError',
        'TypeError',
        'TypeError',
        'ProcessError',
        'TypeError',
        'TypeError',
      ],
    );
    assert.match(wrong[0]![2], /a forked copy of V8 has lost its threads/);
    assert.match(wrong.at(-1)![2], /unknown option "prelaod"; did you mean preload\?/);
  });

  it('are faster than a fresh process (figures only)', async () => {
    const [spawned] = (await says('process-starts.mjs', 'speed', { method: 'spawn' })) as number[];
    const [idle] = (await says('process-starts.mjs', 'speed', { method })) as number[];
    console.log(
      `        start() to target, median of 9: spawn ${spawned!.toFixed(1)} ms, ` +
        `forkserver ${idle!.toFixed(1)} ms`,
    );
  });
});

after('nothing is left behind', async () => {
  await nobodySurvives();
  assert.deepEqual(list(), []);
});
