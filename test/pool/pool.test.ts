// Pool: what its methods give, in which order, and how tasks fail.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedError,
  EncodeError,
  Event,
  HoldfastError,
  NoSpaceError,
  Pool,
  type PoolOptions,
  Queue,
  SharedMemory,
  TimeoutError,
} from 'holdfast';
import { track, until } from '../support/index.js';
import * as targets from '../programs/pool-targets.mjs';

const module = new URL('../programs/pool-targets.mjs', import.meta.url);
const target = (name: keyof typeof targets) => ({ module, export: name });
const square = target('square');

/** Runs `use` with a pool, and ends that. Without the tests' loader its workers start faster. */
async function withPool(options: PoolOptions, use: (pool: Pool) => Promise<void>): Promise<void> {
  const pool = new Pool({ processes: 2, execArgv: [], ...options });
  try {
    await use(pool);
  } finally {
    await pool.terminate();
  }
}

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('it should have been rejected'),
    (error: unknown) => error as Error & { signal?: string; exitCode?: number },
  );

describe('Pool', function () {
  this.timeout(120_000);

  it('run() resolves to what the function returns', async () => {
    await withPool({}, async (pool) => {
      assert.equal(await pool.run(square, 7), 49);
      assert.equal(await pool.run(target('later'), 5, 'late'), 'late');
      assert.equal(await pool.run(target('nothing')), undefined);
      const pids = await Promise.all([1, 2, 3].map(() => pool.run(target('pid'))));
      assert.ok(pids.every((pid) => pid !== process.pid));
    });
  });

  it('map() keeps the order; imap() does; imapUnordered() gives what is done first', async () => {
    await withPool({}, async (pool) => {
      const items = Array.from({ length: 100 }, (_, i) => i);
      const squares = items.map((i) => i * i);
      const progress: number[] = [];
      const onProgress = (done: number, total: number) => progress.push(done, total);
      assert.deepEqual(await pool.map(square, items, { chunkSize: 30, onProgress }), squares);
      assert.deepEqual(await pool.map(square, new Set(items)), squares);
      assert.deepEqual(await pool.map(square, []), []);
      assert.equal(progress.length, 8);
      assert.deepEqual(progress.slice(-2), [100, 100]);
      const stops = () => {
        throw new RangeError('stop');
      };
      assert.equal((await caught(pool.map(square, items, { onProgress: stops }))).message, 'stop');
      assert.deepEqual(await collect(pool.imap(square, items)), squares);
      const slow = (async function* () {
        for (const item of items) yield item;
      })();
      assert.deepEqual(await collect(pool.imap(square, slow, { chunkSize: 7 })), squares);
      const any = (await collect(pool.imapUnordered(square, items))) as number[];
      assert.deepEqual(
        any.toSorted((a, b) => a - b),
        squares,
      );
      const gate = track(new Event());
      const pair = pool.imapUnordered(target('settles'), [gate, null]);
      assert.equal((await pair.next()).value, 'at once');
      gate.set();
      assert.equal((await pair.next()).value, 'after the event');
    });
  });

  it('imap() takes items as it needs them, and stops when the loop is left', async () => {
    await withPool({}, async (pool) => {
      let taken = 0;
      let isClosed = false;
      const endless = (function* () {
        try {
          for (;;) yield taken++;
        } finally {
          isClosed = true;
        }
      })();
      for await (const result of pool.imap(square, endless)) if (result === 16) break;
      assert.ok(taken < 50, String(taken));
      assert.ok(isClosed);
      assert.equal(await pool.run(square, 3), 9);
    });
  });

  it('imap() ends by an abort while it waits for an item, and closes its source', async () => {
    await withPool({ processes: 1 }, async (pool) => {
      let isClosed = false;
      const gate = new EventEmitter();
      const source = (async function* () {
        try {
          yield 1;
          await once(gate, 'go');
          yield 2;
        } finally {
          isClosed = true;
        }
      })();
      const stop = new AbortController();
      const results = pool.imap(square, source, { signal: stop.signal });
      assert.equal((await results.next()).value, 1);
      const next = caught(results.next());
      const reason = new Error('enough');
      stop.abort(reason);
      assert.equal(await next, reason);
      gate.emit('go');
      await until(() => isClosed, 'the end of the source');
      assert.equal(pool.inspect().done, 1);
    });
  });

  it('arguments and results: Buffers of any size, cycles, objects of holdfast', async () => {
    await withPool({ processes: 1 }, async (pool) => {
      const echo = target('echo');
      for (const size of [0, 100, 16_384, 3_000_000]) {
        const buffer = Buffer.alloc(size, 'x');
        const view = new Uint8Array(buffer);
        const echoed = (await pool.run(echo, buffer, view, { buffer })) as Uint8Array[];
        assert.ok(Buffer.isBuffer(echoed[0]));
        assert.equal(echoed[1]!.constructor, Uint8Array);
        assert.deepEqual(echoed, [buffer, view, { buffer }]);
        assert.equal(await pool.run(target('isSame'), buffer, buffer), true);
      }
      const queue = track(new Queue<string>());
      await pool.run(target('putsInto'), queue, 'an item');
      assert.equal(queue.tryGet(), 'an item');
      const made = track((await pool.run(target('makesQueue'), 'inside')) as Queue<string>);
      assert.equal(made.tryGet(), 'inside');
      assert.equal(await pool.run(target('isSame'), queue, queue), true);
      const gone = new Queue();
      gone.close();
      assert.equal((await caught(pool.run(echo, gone))).name, 'ProcessError');
      assert.equal(await pool.run(square, 2), 4);
    });
  });

  it('errors have their class, stack and cause; the pool goes on', async () => {
    await withPool({ errors: [targets.OwnError] }, async (pool) => {
      const throws = target('throws');
      const own = await caught(pool.run(throws, 'own'));
      assert.ok(own instanceof targets.OwnError);
      assert.match(own.stack!, /pool-targets\.mjs/);
      const ours = await caught(pool.run(throws, 'ours'));
      assert.ok(ours instanceof HoldfastError && ours.code === 'ERR_HOLDFAST_X');
      const caused = await caught(pool.run(throws, 'caused'));
      assert.ok(caused instanceof TypeError && caused.cause instanceof SyntaxError);
      assert.equal(await caught(pool.run(throws, 'text')), 'a text');
      assert.ok((await caught(pool.run(target('returnsFunction')))) instanceof EncodeError);
      assert.ok((await caught(pool.run(square, () => 1))) instanceof EncodeError);
      const missing = await caught(pool.run({ module, export: 'nobody' }));
      assert.match(missing.message, /does not export "nobody"/);
      const failed = await caught(pool.map(throws, ['own', 'own', 'own']));
      assert.ok(failed instanceof targets.OwnError);
      assert.equal(await pool.run(square, 2), 4);
    });
  });

  it('a worker that dies costs its task a retry, and nothing else', async () => {
    await withPool({ processes: 1 }, async (pool) => {
      const killed = await caught(pool.run(target('kills'), 'SIGKILL'));
      assert.deepEqual([killed.name, killed.signal], ['ProcessError', 'SIGKILL']);
      assert.match(killed.message, /^the task kills\(\) was lost: .* was ended by SIGKILL while/);
      const exited = await caught(pool.run(target('exits'), 7));
      assert.deepEqual([exited.name, exited.exitCode], ['ProcessError', 7]);
      const memory = track(new SharedMemory(4));
      const twice = pool.run(target('killsFirst'), memory, 2, { retries: 2 });
      const others = [1, 2, 3].map((n) => pool.run(square, n));
      assert.equal(await twice, 'survived');
      assert.deepEqual(await Promise.all(others), [1, 4, 9]);
      new Int32Array(memory.buffer)[0] = 0;
      const tooOften = await caught(pool.run(target('killsFirst'), memory, 2, { retries: 1 }));
      assert.equal(tooOften.name, 'ProcessError');
    });
  });

  it('timeout and signal end a task that runs, and one that waits', async () => {
    await withPool({ processes: 1 }, async (pool) => {
      const later = target('later');
      const late = await caught(pool.run(later, 60_000, 1, { timeout: 30 }));
      assert.ok(late instanceof TimeoutError);
      assert.match(late.message, /^the task later\(\) ran for longer than 30 ms$/);
      assert.equal(await pool.run(later, 1, 'in time', { timeout: 30_000 }), 'in time');
      const gate = track(new Event());
      const first = pool.run(target('waits'), gate, 'first');
      const stop = new AbortController();
      const second = pool.run(square, 2, { signal: stop.signal });
      const reason = new Error('not needed');
      stop.abort(reason);
      assert.equal(await caught(second), reason);
      gate.set();
      assert.equal(await first, 'first'); // the worker lived on
      const running = new AbortController();
      const slow = pool.run(later, 60_000, 1, { signal: running.signal });
      await until(() => pool.inspect().workers[0]?.task === 'later', 'a task that runs');
      running.abort(reason);
      assert.equal(await caught(slow), reason);
      assert.equal(await pool.run(square, 3), 9);
      const before = AbortSignal.abort(reason);
      assert.equal(await caught(pool.run(square, 3, { signal: before })), reason);
    });
  });

  it('a task that was withdrawn leaves nothing to the next one, not even a gone object', async () => {
    await withPool({ processes: 1 }, async (pool) => {
      const gate = track(new Event());
      assert.equal(await pool.run(square, 1), 1); // the worker is ready, and is given tasks ahead
      const first = pool.run(target('waits'), gate, 'first');
      const stop = new AbortController();
      const queue = new Queue();
      const second = caught(pool.run(target('echo'), queue, { signal: stop.signal }));
      const third = pool.run(square, 3);
      const reason = new Error('not needed');
      stop.abort(reason);
      queue.close();
      assert.equal(await second, reason);
      gate.set();
      assert.deepEqual([await first, await third], ['first', 9]);
    });
  });

  it('a task does not wait behind a long one while another worker is idle', async () => {
    await withPool({}, async (pool) => {
      const gate = track(new Event());
      const long = pool.run(target('waits'), gate, 'long');
      const numbers = Array.from({ length: 20 }, (_, i) => i);
      const short = await Promise.all(numbers.map((n) => pool.run(square, n)));
      assert.deepEqual(
        short,
        numbers.map((n) => n * n),
      );
      gate.set();
      assert.equal(await long, 'long');
    });
  });

  it('initializer: runs in each worker, also in one that takes the place of another', async () => {
    const queue = track(new Queue<number>());
    const options = { processes: 1, initializer: target('initialize'), initArgs: [5, queue] };
    await withPool(options, async (pool) => {
      assert.equal(await pool.run(target('initial')), 5);
      await caught(pool.run(target('kills')));
      assert.equal(await pool.run(target('initial')), 5);
      assert.equal(queue.size(), 2);
    });
    await withPool({ initializer: target('initializeWrongly') }, async (pool) => {
      const error = await caught(pool.run(square, 1));
      assert.match(error.message, /the initializer threw: no initial value/);
      assert.equal((error.cause as Error).name, 'OwnError');
      assert.equal((await caught(pool.run(square, 1))).name, 'ProcessError');
    });
  });

  it('maxTasksPerChild, maxMemory: another worker takes the place', async () => {
    await withPool({ processes: 1, maxTasksPerChild: 2 }, async (pool) => {
      const pids: unknown[] = [];
      for (let i = 0; i < 4; i++) pids.push(await pool.run(target('pid')));
      assert.equal(new Set(pids).size, 2);
      assert.deepEqual([pids[0], pids[2]], [pids[1], pids[3]]);
    });
    const maxMemory = 200 * 1024 * 1024;
    await withPool({ processes: 1, maxMemory }, async (pool) => {
      const before = await pool.run(target('pid'));
      await pool.run(target('hoards'), maxMemory, 30).catch(() => {}); // it may be killed
      await until(() => pool.inspect().workers[0]?.pid !== before, 'another worker');
      assert.notEqual(await pool.run(target('pid')), before);
    });
  });

  it('maxQueue: no more tasks wait', async () => {
    await withPool({ processes: 1, maxQueue: 1 }, async (pool) => {
      const gate = track(new Event());
      const tasks = [1, 2].map((n) => pool.run(target('waits'), gate, n));
      assert.ok((await caught(pool.run(square, 3))) instanceof NoSpaceError);
      gate.set();
      assert.deepEqual(await Promise.all(tasks), [1, 2]);
      assert.equal(await pool.run(square, 3), 9);
    });
  });

  it('target: what is called where no function is given; env, cwd, execArgv', async () => {
    await withPool({ target: target('echo') }, async (pool) => {
      assert.deepEqual(await pool.run(1, 'two'), [1, 'two']);
      assert.deepEqual(await pool.map([1, 2]), [[1], [2]]);
      assert.deepEqual(await collect(pool.imap([3])), [[3]]);
    });
    const env = { ...process.env, COLOUR: 'red' };
    const around = { env, cwd: '/', execArgv: ['--stack-size=900'] };
    await withPool({ ...around, target: target('variable') }, async (pool) => {
      assert.deepEqual(await pool.run('COLOUR'), ['red', '/', ['--stack-size=900']]);
    });
  });

  it('close() drains, terminate() does not, and both end the workers', async () => {
    const pool = new Pool({ processes: 2, execArgv: [] });
    const tasks = [1, 2, 3, 4, 5].map((n) => pool.run(square, n));
    const pids = pool.inspect().workers.map(({ pid }) => pid);
    const closed = pool.close();
    assert.equal(pool.close(), closed);
    await closed;
    assert.deepEqual(await Promise.all(tasks), [1, 4, 9, 16, 25]);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    assert.ok((await caught(pool.run(square, 1))) instanceof ClosedError);
    assert.deepEqual(pool.inspect().workers, []);
    const other = new Pool({ processes: 2, execArgv: [] });
    const slow = caught(other.run(target('later'), 60_000, 1));
    await other.terminate();
    assert.ok((await slow) instanceof ClosedError);
    await other.terminate();
    await other.close();
  });

  it('inspect() shows each worker, its task, since when, and its memory', async () => {
    await withPool({ processes: 1, name: 'shown' }, async (pool) => {
      const gate = track(new Event());
      const tasks = [1, 2].map((n) => pool.run(target('waits'), gate, n));
      await until(() => pool.inspect().workers[0]?.since instanceof Date, 'a task that runs');
      const { workers, ...rest } = pool.inspect();
      const counts = { waiting: 1, running: 1, done: 0, failed: 0 };
      assert.deepEqual(rest, { name: 'shown', processes: 1, ...counts });
      const [{ state, task, memory } = assert.fail()] = workers;
      assert.deepEqual([state, task], ['busy', 'waits']);
      assert.ok(memory > 1_000_000);
      gate.set();
      await Promise.all(tasks);
      assert.equal(pool.inspect().done, 2);
      await sleep(1);
    });
  });
});

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const item of items) all.push(item);
  return all;
}
