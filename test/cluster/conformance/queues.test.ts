// The job queues of every engine.
import assert from 'node:assert/strict';
import { TimeoutError } from 'holdfast';
import { stateOf, until, within } from '../../support/index.js';
import { rejection } from '../hold.js';
import { forEachSubject, open, openBeside } from '../subjects.js';

forEachSubject('queues', (subject) => {
  it('hands out what was put, in order, once each', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const values = [1, 'two', { three: [3, null] }, '\0 \uD800 \\'];
    await a.queue('it').put(values[0]);
    await a.queue('it').putMany(values.slice(1));
    assert.deepEqual(await b.queue('it').count(), { waiting: 4, taken: 0 });
    const tasks = [await b.queue('it').take(), ...(await b.queue('it').take({ max: 10 }))];
    assert.deepEqual(
      tasks.map(({ value }) => value),
      values,
    );
    assert.deepEqual(
      tasks.map(({ deliveries }) => deliveries),
      [1, 1, 1, 1],
    );
    assert.deepEqual(await a.queue('it').count(), { waiting: 0, taken: 4 });
    await Promise.all(tasks.map((task) => task.done()));
    assert.deepEqual(await a.queue('it').count(), { waiting: 0, taken: 0 });
  });

  it('take() waits for a put; as many tasks as there are jobs', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const first = b.queue('it').take();
    const second = b.queue('it').take({ max: 5 });
    assert.equal(await stateOf(first), 'pending');
    await a.queue('it').putMany(['x', 'y', 'z']);
    const task = await within(first, 'the first');
    const more = await within(second, 'the second');
    assert.equal(task.value, 'x');
    assert.equal(more[0]!.value, 'y');
    for (const each of [task, ...more]) await each.done();
  });

  it('a take() after one that timed out has what was put meanwhile', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    for (const value of [1, 2, 3]) {
      const nothing = await rejection(b.queue('it').take({ timeout: 20 }));
      assert.ok(nothing instanceof TimeoutError, String(nothing));
      await a.queue('it').put(value);
      await until(async () => (await a.queue('it').count()).waiting === 1, 'the job');
      const task = await within(b.queue('it').take(), `job ${value}`);
      assert.equal(task.value, value);
      await task.done();
    }
  });

  it('retry() gives a job back: it comes again, with a greater token', async () => {
    const a = await open(subject);
    const queue = a.queue<string>('it');
    await queue.put('x');
    const task = await queue.take();
    await task.retry();
    await task.done();
    const again = await within(queue.take(), 'the second delivery');
    assert.deepEqual([again.value, again.deliveries], ['x', 2]);
    assert.ok(again.token > task.token);
    again.check();
    await again.done();
    assert.throws(() => again.check(), { code: 'ERR_HOLDFAST_NOT_LOCKED' });
  });

  it('tasks end in any order, and some come back', async () => {
    const a = await open(subject);
    const queue = a.queue<number>('it');
    await queue.putMany([0, 1, 2, 3, 4, 5, 6, 7]);
    const tasks = await queue.take({ max: 8 });
    const [first, ...others] = tasks.toReversed();
    await first!.done();
    await Promise.all(others.map((task) => (task.value % 3 === 0 ? task.retry() : task.done())));
    assert.deepEqual(await queue.count(), { waiting: 3, taken: 0 });
    const again = await queue.take({ max: 8 });
    assert.deepEqual(again.map(({ value }) => value).toSorted(), [0, 3, 6]);
    assert.ok(again.every(({ deliveries }) => deliveries === 2));
    await Promise.all(again.toReversed().map((task) => task.done()));
    assert.deepEqual(await queue.count(), { waiting: 0, taken: 0 });
  });

  it('a task at the end of its block is given back, unless it was done', async () => {
    const a = await open(subject);
    const queue = a.queue<number>('it');
    await queue.put(1);
    {
      await using task = await queue.take();
      assert.equal(task.deliveries, 1);
    }
    {
      await using task = await within(queue.take(), 'it again');
      assert.equal(task.deliveries, 2);
      await task.done();
    }
    assert.deepEqual(await queue.count(), { waiting: 0, taken: 0 });
  });

  it('a retry and a close wake those who wait in other sessions', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    await a.queue('it').put('x');
    const task = await a.queue('it').take();
    const waits = b.queue('it').take();
    assert.equal(await stateOf(waits), 'pending');
    await task.retry();
    const second = await within(waits, 'what was given back');
    const third = a.queue('it').take();
    assert.equal(await stateOf(third), 'pending');
    await b.close();
    const last = await within(third, 'what a session left');
    assert.equal(last.value, 'x');
    assert.equal(((await rejection(second.done())) as Error).name, 'ClosedError');
    await last.done();
  });

  it('an abort and a timeout end the wait; jobs go to who still waits', async () => {
    const a = await open(subject);
    const queue = a.queue('it');
    const controller = new AbortController();
    const aborted = queue.take({ signal: controller.signal });
    const late = queue.take({ timeout: 30 });
    const waits = queue.take();
    controller.abort(new Error('enough'));
    assert.equal(((await rejection(aborted)) as Error).message, 'enough');
    assert.equal(((await rejection(late)) as Error).name, 'TimeoutError');
    await queue.put('x');
    const task = await within(waits, 'the job');
    assert.equal(task.deliveries, 1);
    await task.done();
    await queue.put('y');
    const free = await queue.take({ timeout: 0 });
    assert.equal(free.value, 'y');
    await free.done();
  });

  it('workers of two sessions share many jobs', async () => {
    const a = await open(subject);
    const b = await openBeside(subject, a);
    const jobs = Array.from({ length: 200 }, (_, i) => i);
    const seen: number[] = [];
    const work = async (cluster: typeof a): Promise<void> => {
      while (seen.length < jobs.length) {
        const tasks = await cluster.queue<number>('it').take({ max: 7, timeout: 2000 });
        for (const task of tasks) {
          seen.push(task.value);
          await task.done();
        }
      }
    };
    const workers = Promise.allSettled([work(a), work(a), work(b), work(b)]);
    await a.queue('it').putMany(jobs);
    await until(() => seen.length >= jobs.length, 'all jobs');
    assert.deepEqual(
      seen.toSorted((x, y) => x - y),
      jobs,
    );
    await Promise.all([a.close(), b.close()]);
    await workers;
  });

  it('refuses what JSON cannot carry, and wrong options', async () => {
    const a = await open(subject);
    const queue = a.queue('it');
    for (const value of [undefined, () => {}, 1n]) {
      assert.equal(((await rejection(queue.put(value))) as Error).name, 'EncodeError');
      assert.equal(((await rejection(queue.putMany([1, value]))) as Error).name, 'EncodeError');
    }
    for (const put of ['put', 'putMany'] as const) {
      const withOptions = queue[put] as (value: unknown, options: object) => Promise<void>;
      for (const options of [{ priority: 1 }, { delay: 1 }]) {
        const error = await rejection(withOptions.call(queue, ['x'], options));
        assert.equal((error as Error).name, 'TypeError');
      }
    }
    await queue.putMany([]);
    assert.deepEqual(await queue.count(), { waiting: 0, taken: 0 });
    for (const max of [0, 1001, 1.5]) {
      assert.equal(((await rejection(queue.take({ max }))) as Error).name, 'RangeError');
    }
  });
});
