// What taking jobs costs: in commands, and in bytes of the answers.
import assert from 'node:assert/strict';
import type { Cluster, ClusterTask } from 'holdfast';
import { forEachServer, open } from '../subjects.js';
import { Tap } from '../tap.js';

/** More than any engine hands out at once. */
const max = 56;

forEachServer('costs of jobs', 'all', (subject) => {
  const taps: Tap[] = [];
  afterEach(() => {
    for (const tap of taps.splice(0)) tap.close();
  });

  async function openTap(): Promise<[Cluster, Tap]> {
    const { port } = new URL(await subject.start());
    const tap = await new Tap(subject.name, Number(port)).open();
    taps.push(tap);
    return [await open(subject, { ttl: 120_000 }, tap.port), tap];
  }

  it('a take costs the same however many jobs were taken before and have not ended', async () => {
    const [a, tap] = await openTap();
    const queue = a.queue<number>('it');
    const takes = 12;
    await queue.putMany(Array.from({ length: (takes + 1) * max }, (_, i) => 1000 + i));
    const tasks: ClusterTask<number>[] = [];
    const costs: { commands: number; bytes: number }[] = [];
    for (let i = 0; i < takes; i++) {
      tap.take();
      const before = tap.answeredBytes;
      tasks.push(...(await queue.take({ max })));
      const commands = tap.take().commands.length;
      costs.push({ commands, bytes: tap.answeredBytes - before });
    }
    assert.equal(tasks.length, takes * max);
    const [first, last] = [costs[1]!, costs.at(-1)!];
    const most = subject.name === 'etcd' ? 2 : 1;
    assert.ok(last.commands <= most, `${last.commands} commands`);
    assert.ok(last.bytes < 1.5 * first.bytes, `${last.bytes} bytes after ${first.bytes}`);
    await Promise.all(tasks.map((task) => task.done()));
    assert.deepEqual(await queue.count(), { waiting: max, taken: 0 });
  });

  it('a job does not bring all that were put with it', async () => {
    const [a, tap] = await openTap();
    const queue = a.queue<string>('it');
    const size = 10_000;
    await queue.putMany(Array.from({ length: 100 }, () => 'x'.repeat(size)));
    const before = tap.answeredBytes;
    await (await queue.take()).done();
    const bytes = tap.answeredBytes - before;
    assert.ok(bytes < 20 * size, `${bytes} bytes`);
  });

  it('large jobs are taken one after the other', async () => {
    const a = await open(subject);
    const queue = a.queue<string>('it');
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(600_000));
    for (const value of values) await queue.put(value);
    const tasks: ClusterTask<string>[] = [];
    while (tasks.length < values.length) tasks.push(...(await queue.take({ max })));
    assert.deepEqual(
      tasks.map(({ value }) => value[0]),
      ['a', 'b', 'c'],
    );
    await Promise.all(tasks.map((task) => task.retry()));
    const again = await queue.take({ max });
    assert.deepEqual([again[0]!.value.length, again[0]!.deliveries], [600_000, 2]);
    await Promise.all(again.map((task) => task.done()));
    assert.deepEqual(await queue.count(), { waiting: values.length - again.length, taken: 0 });
  });
});
