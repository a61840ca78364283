// Priorities of a JoinableQueue: who comes first, and what does not change it.
import assert from 'node:assert/strict';
import { JoinableQueue } from 'holdfast';
import { freshName, newProcess, track, until, within } from '../../support/index.js';
import { type Job, doneWith, open, there } from './helpers.js';

/** Some items, in the order in which they must come out. */
const mixed = [
  [3, 5],
  [6, 0],
  [1, 9],
  [4, 5],
  [5, 1],
  [7, 0],
  [2, 9],
] as const;
const sorted = [1, 2, 3, 4, 5, 6, 7];

async function putMixed(jobs: JoinableQueue<Job>): Promise<void> {
  for (const [id, priority] of mixed) {
    if (id % 2 === 0) await jobs.put({ id }, { priority });
    else jobs.putSync({ id }, { priority });
  }
}

describe('JoinableQueue, priorities', () => {
  const forms: Record<string, (jobs: JoinableQueue<Job>) => Promise<number[]>> = {
    take: async (jobs) => {
      const ids = [];
      for (const _ of mixed) ids.push(doneWith(await jobs.take()));
      return ids;
    },
    takeSync: async (jobs) => mixed.map(() => doneWith(jobs.takeSync())),
    tryTake: async (jobs) => mixed.map(() => doneWith(jobs.tryTake()!)),
    'tasks()': async (jobs) => {
      const ids = [];
      for await (const task of jobs.tasks()) ids.push(doneWith(task));
      return ids;
    },
    get: async (jobs) => {
      const ids = [];
      for (const _ of mixed) ids.push((await jobs.get()).id);
      for (const _ of mixed) jobs.taskDone();
      return ids;
    },
    getMany: async (jobs) => {
      const items = await jobs.getMany(100);
      for (const _ of items) jobs.taskDone();
      return items.map(({ id }) => id);
    },
    'a loop over the queue': async (jobs) => {
      const ids = [];
      for await (const { id } of jobs) {
        ids.push(id);
        jobs.taskDone();
      }
      return ids;
    },
  };
  it('a batch that is full leaves the urgent ones that did not fit in front', async () => {
    const jobs = track(new JoinableQueue<Buffer>());
    jobs.putSync(Buffer.from('plain'));
    for (const letter of 'abc') jobs.putSync(Buffer.alloc(3 << 20, letter), { priority: 7 });
    jobs.putSync(Buffer.from('less urgent'), { priority: 2 });
    const batches = [];
    while (!jobs.empty()) {
      const batch = await jobs.getMany(10);
      batches.push(batch.map((bytes) => String.fromCharCode(bytes[0]!)).join(''));
    }
    assert.deepEqual(batches, ['a', 'b', 'clp']);
  });

  for (const [form, takeAll] of Object.entries(forms)) {
    it(`${form}: the greatest first, and of one priority the oldest`, async () => {
      const jobs = open<Job>();
      await putMixed(jobs);
      assert.equal(jobs.size(), mixed.length);
      jobs.end();
      assert.deepEqual(await within(takeAll(jobs), 'all'), sorted);
      await jobs.join();
      assert.equal(jobs.inspect().bytes, 0);
    });
  }

  it('a task tells its priority; retry() and a delay keep it', async () => {
    const jobs = open<Job>();
    await jobs.put({ id: 1 }, { priority: 2 });
    await jobs.put({ id: 2 }, { priority: 7, delay: 20 });
    await jobs.put({ id: 3 }, { priority: 2 });
    await jobs.put({ id: 4 });
    const first = jobs.takeSync();
    assert.deepEqual([first.value.id, first.priority], [1, 2]);
    first.retry();
    await until(() => jobs.size() === 4, 'the delayed one is due');
    const second = jobs.takeSync();
    assert.deepEqual([second.value.id, second.priority], [2, 7]);
    second.retry({ delay: 10 });
    await until(() => jobs.size() === 4, 'it is due again');
    const tasks = [1, 2, 3, 4].map(() => jobs.tryTake()!);
    assert.deepEqual(
      tasks.map(({ priority, deliveries }) => [priority, deliveries]),
      [
        [7, 2],
        [2, 2],
        [2, 1],
        [0, 1],
      ],
    );
    assert.deepEqual(tasks.map(doneWith), [2, 1, 3, 4]);
  });

  it('an item of a taker that died comes back with its priority', async () => {
    const jobs = open<Job>();
    await putMixed(jobs);
    const actor = await newProcess();
    const remote = await there(actor, jobs);
    for (const id of [1, 2, 3]) {
      const task = await remote.keep('take');
      assert.equal((task.value as Job).id, id);
    }
    await actor.kill();
    await until(() => jobs.size() === mixed.length, 'they are back');
    assert.deepEqual(
      mixed.map(() => doneWith(jobs.tryTake()!)),
      sorted,
    );
  });

  it('large items, and more than the ring has room for at first', async () => {
    const queue = track(new JoinableQueue<Buffer>({ name: freshName() }));
    for (let i = 0; i < 60; i++) {
      await queue.put(Buffer.alloc(i % 2 === 0 ? 9000 : 90, i), { priority: i % 3 });
    }
    const taken: number[] = [];
    for (let task = queue.tryTake(); task; task = queue.tryTake()) {
      const { value, priority } = task;
      assert.equal(value.length, value[0]! % 2 === 0 ? 9000 : 90);
      assert.ok(value.every((byte) => byte === value[0]));
      assert.equal(priority, value[0]! % 3);
      taken.push(value[0]!);
      task.done();
    }
    const all = Array.from({ length: 60 }, (_, i) => i);
    const expected = [2, 1, 0].flatMap((rest) => all.filter((i) => i % 3 === rest));
    assert.deepEqual(taken, expected);
  });

  it('a dead letter tells it', async () => {
    const jobs = open<Job>({ maxDeliveries: 1 });
    await jobs.put({ id: 1 }, { priority: 4 });
    (await jobs.take()).retry({ reason: 'no' });
    const letter = await jobs.dead.take();
    letter.done();
    assert.deepEqual(letter.value, { value: { id: 1 }, deliveries: 1, priority: 4, reason: 'no' });
  });

  it('wrong ones are refused before anything is touched', async () => {
    const jobs = open<Job>();
    for (const priority of ['1', null, 1n, {}]) {
      const options = { priority: priority as never };
      await assert.rejects(jobs.put({ id: 1 }, options), TypeError);
      assert.throws(() => jobs.putSync({ id: 1 }, options), TypeError);
    }
    for (const priority of [-1, 10, 0.5, NaN, Infinity]) {
      await assert.rejects(jobs.put({ id: 1 }, { priority }), RangeError);
      assert.throws(() => jobs.putSync({ id: 1 }, { priority }), RangeError);
    }
    assert.equal(jobs.unfinished(), 0);
    await assert.rejects(jobs.put({ id: 1 }, { priorty: 1 } as object), /did you mean priority/);
  });
});
