// `holdfast put`, `get` and `take`: a queue fed and drained from a shell.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { JoinableQueue, Queue, list, unlink } from 'holdfast';
import { Program, cli, cliFile, freshName, startCli, track, until } from '../support/index.js';

const lines = (...items: unknown[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join('');

describe('holdfast put and get', function () {
  this.timeout(180_000); // many processes, one after the other
  it('lines of JSON go in and come out, in order, between shell and program', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    const items = [{ a: 1 }, 'text', null, [1, 2], 3.5, true];
    assert.equal((await cli(['put', queue.name], { input: lines(...items) })).code, 0);
    assert.deepEqual(await queue.getMany(6), items);
    await queue.putMany(items);
    const { code, stdout } = await cli(['get', '--count', '6', queue.name]);
    assert.equal(code, 0);
    assert.equal(stdout, lines(...items));
  });

  it('what JSON has no form for', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    await queue.putMany([2n ** 64n, new Map([['a', 1]]), new Set([1]), new Date(0)]);
    const { stdout } = await cli(['get', '-N', '4', queue.name]);
    const date = '1970-01-01T00:00:00.000Z';
    assert.equal(stdout, lines(String(2n ** 64n), { a: 1 }, [1], date));
  });

  it('a line ends at a line feed alone: U+2028 may be in JSON', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    const items = ['a\u2028b\u2029c\u0085d', { long: 'x'.repeat(200_000) }];
    const input = `${lines(...items).trimEnd()}\r\n \n\uFEFF"last"`;
    assert.equal((await cli(['put', queue.name], { input })).code, 0);
    assert.deepEqual(await queue.getMany(3), [...items, 'last']);
  });

  it('bytes that are no UTF-8 are no JSON: 64', () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    const input = Buffer.from('"one"\n"\xFF"\n', 'latin1');
    const put = [cliFile, 'put', queue.name];
    const { status, stderr } = spawnSync(process.execPath, put, { input });
    assert.equal(status, 64);
    assert.match(String(stderr), /line 2 is no JSON/);
    assert.equal(queue.getSync(), 'one');
    assert.equal(queue.size(), 0);
  });

  it('a directory as standard input: 64, and not an empty file', () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    const directory = openSync('/', 'r');
    const { status, stderr } = spawnSync(process.execPath, [cliFile, 'put', queue.name], {
      stdio: [directory, 'pipe', 'pipe'],
    });
    closeSync(directory);
    assert.equal(status, 64);
    assert.match(String(stderr), /standard input is a directory/);
  });

  it('--create makes a persistent queue; --end ends it, and --follow sees the end', async () => {
    const name = freshName('Queue');
    const input = lines(1, 2, 3);
    assert.equal((await cli(['put', name], { input })).code, 66);
    assert.equal((await cli(['put', '--create', '--end', name], { input })).code, 0);
    assert.equal(list().find((one) => one.name === name)?.persistent, true);
    const { code, stdout } = await cli(['get', '--follow', name]);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: input });
    assert.equal((await cli(['get', name])).code, 1);
    unlink('Queue', name);
  });

  it('get waits for an item; --timeout and --no-wait limit that: 1', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    assert.equal((await cli(['get', '--no-wait', queue.name])).code, 1);
    const began = performance.now();
    assert.equal((await cli(['get', '--timeout', '0.2', queue.name])).code, 1);
    assert.ok(performance.now() - began >= 200);
    const getter = startCli(['get', queue.name]);
    await until(() => queue.inspect().getters === 1, 'a waiting getter');
    await queue.put('late');
    await getter.line('"late"');
    assert.equal((await getter.end()).code, 0);
  });

  it('put waits for room, and --no-wait does not: 1', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue'), maxSize: 1 }));
    const input = lines(1, 2);
    assert.equal((await cli(['put', '--no-wait', queue.name], { input })).code, 1);
    assert.equal(queue.size(), 1);
    const putter = startCli(['put', queue.name], { input });
    await until(() => queue.inspect().putters === 1, 'a waiting putter');
    assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], [1, 1, 2]);
    assert.equal((await putter.end()).code, 0);
  });

  it('a line that is no JSON: 64, and those before it are in the queue', async () => {
    const queue = track(new Queue<unknown>({ name: freshName('Queue') }));
    const { code, stderr } = await cli(['put', queue.name], { input: '1\n\nnot json\n2\n' });
    assert.equal(code, 64);
    assert.match(stderr, /line 3 is no JSON/);
    assert.equal(queue.size(), 1);
  });

  it('wrong arguments: 64', async () => {
    for (const args of [
      ['put'],
      ['get', '--count', '0', 'q'],
      ['get', '--count', '2', '--follow', 'q'],
      ['take', '--timeout', '1', '--no-wait', 'q'],
    ]) {
      assert.equal((await cli(args)).code, 64, args.join(' '));
    }
  });
});

describe('holdfast take', function () {
  this.timeout(180_000); // many processes, one after the other
  it('one command for each item, which is done if the command ends with 0', async () => {
    const queue = track(new JoinableQueue<unknown>({ name: freshName('JoinableQueue') }));
    await queue.putMany([{ n: 1 }, { n: 2 }]);
    queue.end();
    const { code, stdout } = await cli(['take', '--follow', queue.name, '--', 'cat']);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: lines({ n: 1 }, { n: 2 }) });
    assert.equal(queue.inspect().unfinished, 0);
  });

  it('without a command: an item whose reader is gone goes back, without a complaint', async () => {
    const queue = track(new JoinableQueue<unknown>({ name: freshName('JoinableQueue') }));
    const script = '{ "$NODE" "$CLI" take "$QUEUE"; echo "ended with $?" >&2; } | true';
    const env = { NODE: process.execPath, CLI: cliFile, QUEUE: queue.name };
    const taker = new Program('sh', { args: ['-c', script], env, input: '' });
    await until(() => queue.inspect().getters === 1, 'a waiting taker'); // the reader has ended
    await queue.put('kept');
    assert.equal((await taker.outcome()).stderr, 'ended with 0\n');
    assert.equal(queue.tryGet(), 'kept');
  });

  it('an item whose command fails goes back, and the exit code says so', async () => {
    const queue = track(new JoinableQueue<unknown>({ name: freshName('JoinableQueue') }));
    await queue.put('it');
    const fails = ['sh', '-c', 'cat; echo $HOLDFAST_DELIVERIES; exit 3'];
    for (const deliveries of [1, 2]) {
      const { code, stdout } = await cli(['take', queue.name, '--', ...fails]);
      assert.deepEqual({ code, stdout }, { code: 3, stdout: `"it"\n${deliveries}\n` });
    }
    assert.equal(queue.size(), 1);
    assert.equal((await cli(['take', queue.name])).stdout, '"it"\n');
    assert.equal(queue.inspect().unfinished, 0);
  });

  it('killed with SIGKILL: nobody else has the item until the command has ended', async () => {
    const queue = track(new JoinableQueue<unknown>({ name: freshName('JoinableQueue') }));
    await queue.put('it');
    const script = 'echo in $$ >&2; exec sleep 60';
    const taker = startCli(['take', queue.name, '--', 'sh', '-c', script]);
    await until(() => /in \d+\n/.test(taker.stderr), 'the command');
    const pid = Number(/in (\d+)/.exec(taker.stderr)![1]);
    taker.signal('SIGKILL');
    await assert.rejects(queue.take({ timeout: 300 }), { name: 'TimeoutError' });
    process.kill(pid, 'SIGKILL');
    const task = await queue.take({ timeout: 20_000 });
    assert.deepEqual(
      { value: task.value, deliveries: task.deliveries },
      { value: 'it', deliveries: 2 },
    );
    task.done();
    await taker.end();
  });
});
