// Delays, dead letters and drain(): what makes a JoinableQueue a queue of jobs.
import assert from 'node:assert/strict';
import { JoinableQueue, type Task, attach, list } from 'holdfast';
import {
  assertRejects,
  assertThrows,
  freshName,
  newProcess,
  newWorker,
  now,
  remotePlaces,
  sharedActor,
  stateOf,
  track,
  until,
  within,
} from '../../support/index.js';
import { type Job, doneWith, open, there } from './helpers.js';

describe('JoinableQueue, delays', () => {
  it('nobody can take a delayed item before it is due, in all forms', async () => {
    const jobs = open<Job>();
    const remote = await there(await sharedActor('process'), jobs);
    for (const put of ['put', 'putSync'] as const) {
      const began = now();
      await jobs[put]({ id: 1 }, { delay: 60 });
      await jobs.put({ id: 2 });
      assert.deepEqual([jobs.size(), jobs.unfinished(), jobs.inspect().delayed], [1, 2, 1]);
      assert.equal(jobs.inspect().leased, 0);
      const first = jobs.tryTake()!;
      assert.equal(first.value.id, 2);
      first.done();
      assert.equal(jobs.tryTake(), undefined);
      const take = put === 'put' ? remote.keep('take') : remote.keep('takeSync');
      const kept = await within(take, 'the delayed item');
      assert.ok(now() - began >= 60, `after ${now() - began} ms`);
      await kept.remote.call('done');
    }
    await jobs.join();
    assert.equal(jobs.inspect().delayed, 0);
  });

  it('due items come in the order of their places', async () => {
    const jobs = open<Job>();
    for (const [id, delay] of [
      [1, 30],
      [2, 10],
      [3, 0],
      [4, 20],
    ] as const) {
      await jobs.put({ id }, { delay });
    }
    await until(() => jobs.size() === 4, 'all are due');
    const tasks = [1, 2, 3, 4].map(() => jobs.tryTake()!);
    assert.deepEqual(tasks.map(doneWith), [1, 2, 3, 4]);
  });

  it('a large item can be delayed, and get() waits for it, too', async () => {
    const queue = track(new JoinableQueue<Buffer>({ name: freshName() }));
    const began = now();
    const bytes = Buffer.alloc(100_000, 7);
    await queue.put(bytes, { delay: 40 });
    assert.deepEqual(await queue.get(), bytes);
    assert.ok(now() - began >= 40);
    queue.taskDone();
    await queue.join();
  });

  it('retry({ delay }) gives an item back for later', async () => {
    const jobs = open<Job>();
    await jobs.put({ id: 1 });
    const task = await jobs.take();
    const began = now();
    task.retry({ delay: 50 });
    task.retry();
    assert.deepEqual([jobs.size(), jobs.inspect().delayed, jobs.inspect().leased], [0, 1, 0]);
    const again = await jobs.take();
    assert.ok(now() - began >= 50);
    assert.equal(again.deliveries, 2);
    again.done();
    jobs.end();
    await jobs.join();
  });

  it('end() waits for delayed items', async () => {
    const jobs = open<Job>();
    await jobs.put({ id: 1 }, { delay: 30 });
    jobs.end();
    const ids: number[] = [];
    for await (const task of jobs.tasks()) {
      ids.push(task.value.id);
      task.done();
    }
    assert.deepEqual(ids, [1]);
  });

  it('a delayed item outlives the death of the process that put it', async () => {
    const jobs = open<Job>();
    const actor = await newProcess();
    const remote = await there(actor, jobs);
    await remote.call('put', { id: 7 }, { delay: 100 });
    await remote.call('put', { id: 8 });
    await remote.keep('take');
    await actor.kill();
    const ids = [await jobs.take(), await jobs.take()].map(doneWith);
    assert.deepEqual(ids.toSorted(), [7, 8]);
  });

  it('wrong options are refused before anything is touched', async () => {
    const jobs = open<Job>();
    for (const delay of ['1', null, 1n]) {
      await assert.rejects(jobs.put({ id: 1 }, { delay: delay as never }), TypeError);
    }
    for (const delay of [-1, NaN, 2 ** 31]) {
      await assert.rejects(jobs.put({ id: 1 }, { delay }), RangeError);
      assert.throws(() => jobs.putSync({ id: 1 }, { delay }), RangeError);
    }
    assert.throws(() => jobs.putSync({ id: 1 }, { dealy: 1 } as object), TypeError);
    assert.equal(jobs.unfinished(), 0);
    await jobs.put({ id: 1 });
    const task = jobs.takeSync();
    assert.throws(() => task.retry({ delay: -1 }), RangeError);
    assert.throws(() => task.retry({ reason: 1 as never }), TypeError);
    assert.throws(() => task.retry({ reasons: '' } as object), TypeError);
    assert.equal(jobs.inspect().leased, 1);
    task.done();
    for (const maxDeliveries of [0, 1.5, 1e7]) {
      assert.throws(() => new JoinableQueue({ name: freshName(), maxDeliveries }), RangeError);
    }
  });
});

describe('JoinableQueue, dead letters', () => {
  it('an item that was delivered too often goes to `dead` with its reason', async () => {
    const jobs = open<Job>({ maxDeliveries: 2 });
    await jobs.put({ id: 1 });
    (await jobs.take()).retry({ reason: 'first' });
    (await jobs.take()).retry({ delay: 1000, reason: new RangeError('second') });
    assert.equal(jobs.tryTake(), undefined);
    await jobs.join();
    assert.equal(jobs.dead.name, `${jobs.name} (dead)`);
    const letter = await jobs.dead.take();
    assert.deepEqual(letter.value, {
      value: { id: 1 },
      deliveries: 2,
      priority: 0,
      reason: 'RangeError: second',
    });
    letter.done();
  });

  for (const place of remotePlaces) {
    it(`so does one whose takers die (${place})`, async () => {
      const jobs = open<Job>({ maxDeliveries: 1 });
      await jobs.put({ id: 1 });
      await jobs.put({ id: 2 });
      const actor = await (place === 'process' ? newProcess() : newWorker());
      const remote = await there(actor, jobs);
      await remote.keep('take');
      await actor.kill();
      const left = [jobs.takeSync()];
      await until(() => {
        const more = jobs.tryTake();
        if (more) left.push(more);
        return jobs.dead.size() === 1;
      }, 'the item of the dead is dead, too');
      assert.deepEqual(left.map(doneWith), [2]);
      const letter = jobs.dead.takeSync();
      const { value } = letter;
      letter.done();
      assert.deepEqual([value.value, value.deliveries], [{ id: 1 }, 1]);
      assert.match(value.reason, /without done/);
      await jobs.join();
    });
  }

  it('the handle has the limit', async () => {
    const jobs = track(new JoinableQueue<Job>({ name: freshName(), maxDeliveries: 1 }));
    const handle = jobs.toJSON();
    assert.equal(handle.maxDeliveries, 1);
    const other = track(attach<'JoinableQueue'>(JSON.parse(JSON.stringify(jobs))));
    await jobs.put({ id: 1 });
    (await other.take()).retry({ reason: 'broken' });
    assert.equal(jobs.tryTake(), undefined);
    const letter = jobs.dead.takeSync();
    assert.equal(letter.value.reason, 'broken');
    letter.done(); // or close() would find a lease
    assert.throws(() => attach({ ...handle, maxDeliveries: 0 } as typeof handle), RangeError);
    assert.deepEqual(open<Job>().toJSON().maxDeliveries, undefined);
  });

  it('`dead` of a queue without a limit is the same queue; unlink() takes both names', async () => {
    const jobs = open<Job>({ maxDeliveries: 1, persistent: true });
    const same = track(new JoinableQueue<Job>({ name: jobs.name }));
    await jobs.put({ id: 1 });
    (await jobs.take()).retry();
    assert.equal(same.dead.size(), 1);
    jobs.unlink();
    assert.deepEqual(
      list().filter(({ name }) => name.startsWith(jobs.name)),
      [],
    );
  });
});

describe('JoinableQueue, drain()', () => {
  it('ends waits and loops, and resolves when nothing is on lease', async () => {
    const jobs = open<Job>();
    for (const id of [1, 2]) await jobs.put({ id });
    const taken = await jobs.take();
    const bodies: number[] = [];
    let goOn!: () => void;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const loop = (async () => {
      for await (const task of jobs.tasks()) {
        bodies.push(task.value.id);
        await gate;
        task.done();
      }
    })();
    const waiting: Promise<Task<Job>> = jobs.take();
    await until(() => bodies.length === 1, 'the loop works');
    const drained = jobs.drain();
    await assertRejects(waiting, 'EndedError');
    await assertRejects(jobs.take(), 'EndedError');
    assertThrows(() => jobs.takeSync(), 'EndedError');
    assertThrows(() => jobs.tryTake(), 'EndedError');
    await assertRejects(jobs.drain({ timeout: 20 }), 'TimeoutError');
    await assert.rejects(jobs.drain({ signal: AbortSignal.abort(new Error('no')) }), /no/);
    taken.retry();
    assert.equal(await stateOf(drained), 'pending');
    goOn();
    await within(drained, 'drain()');
    await within(loop, 'the loop');
    await jobs.put({ id: 3 });
    assert.equal(jobs.unfinished(), 2);
    const other = track(new JoinableQueue<Job>({ name: jobs.name }));
    assert.equal(doneWith(other.takeSync()), 1);
  });
});
