// `holdfast ls`, `waits`, `top` and `dashboard` with --url, over every engine.
import assert from 'node:assert/strict';
import { cli, startCli } from '../support/index.js';
import { Holding, counts, hold } from './hold.js';
import { forEachSubject, freshNamespace, open } from './subjects.js';

interface Row {
  kind: string;
  name: string;
  token?: string;
  state: { holders: object[]; waiters: object[]; size?: number; leased?: number };
}

forEachSubject('tools', (subject) => {
  it('show locks, waits and queues of a namespace', async function () {
    this.timeout(60_000); // four processes on a machine that may be full
    const namespace = freshNamespace();
    const a = await open(subject, { namespace });
    const b = await open(subject, { namespace });
    const holding = await hold(a, 'the lock');
    const waiting = new Holding(b, 'the lock');
    await a.queue('the jobs').putMany([1, 2]);
    const task = await a.queue('the jobs').take();
    while ((await counts(a, 'the lock'))[1] === 0);

    const from = ['--url', await subject.start(), '--namespace', namespace];
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await cli([...args, ...from]);
      // In shared memory both sessions are one thread, which seems to wait for itself.
      const isSuspect = args[0] === 'waits' && subject.name === 'local';
      assert.equal(code, isSuspect ? 1 : 0, stderr);
      return stdout;
    };
    const page = startCli(['dashboard', ...from]);
    const [json, table, waits, top, address] = await Promise.all([
      run('ls', '--json'),
      run('ls'),
      run('waits'),
      run('top', '--interval', '0.05'),
      page.line('http://'),
    ]);
    const rows = JSON.parse(json) as Row[];
    const [lock, queue] = [rows.find((row) => row.kind === 'Lock')!, rows.at(-1)!];
    assert.equal(rows.length, 2);
    assert.equal(lock.name, 'the lock');
    assert.deepEqual([lock.state.holders.length, lock.state.waiters.length], [1, 1]);
    const { token } = (await holding.granted)!;
    assert.ok(lock.token === undefined || lock.token === String(token));
    assert.deepEqual([queue.name, queue.state.size, queue.state.leased], ['the jobs', 1, 1]);
    assert.match(table, /TOKEN/);
    assert.match(table, /Lock +the lock /);
    assert.match(waits, /waits for Lock the lock \(exclusive.*held by /);
    assert.match(top, /the lock/);
    const view = (await (await fetch(new URL('view', address))).json()) as Record<string, string>;
    assert.match(view['objects']!, /the lock/);
    assert.match(view['summary']!, new RegExp(`${subject.name}.*namespace`));
    page.signal('SIGTERM');
    assert.equal((await page.outcome()).code, 0);

    await task.done();
    await holding.release();
    await waiting.granted;
    await waiting.release();
  });
});

describe('tools without an engine', () => {
  it('say what is wrong', async () => {
    const [unreachable, unknown, alone] = await Promise.all([
      cli(['ls', '--url', 'redis://127.0.0.1:1']),
      cli(['waits', '--url', 'mysql://127.0.0.1:1']),
      cli(['top', '--namespace', 'x']),
    ]);
    assert.deepEqual([unreachable.code, unknown.code, alone.code], [71, 71, 64]);
    assert.match(alone.stderr, /--namespace goes with --url/);
  });
});
