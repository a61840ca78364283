// JoinableQueue: take() leases an item, and the item comes back unless it is done.
import assert from 'node:assert/strict';
import type { Task } from 'holdfast';
import {
  remotePlaces,
  RemoteObject,
  forms,
  newActor,
  sharedActor,
  sharedActors,
  until,
  within,
} from '../../support/index.js';
import { open, there, counts, takes, waitsToTake, plain } from './helpers.js';

describe('JoinableQueue', () => {
  describe('take()', () => {
    it('leases: until done() the item counts, and no other take gets it', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      const task = await queue.take();
      assert.deepEqual(plain(task), { value: 1, deliveries: 1 });
      assert.deepEqual(counts(queue), { size: 1, leased: 1, unfinished: 2 });
      assert.equal(await queue.get(), 2);
      assert.equal(queue.tryGet(), undefined);
      assert.equal(queue.empty(), true);
      task.done();
      task.done();
      task.retry();
      assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 1 });
      queue.taskDone();
      const { gets, bytes } = queue.inspect();
      assert.deepEqual({ gets, bytes }, { gets: 2, bytes: 0 });
    });

    it('retry(): the item is back in its old place, and the next take gets it', async () => {
      const [actor] = await sharedActors('process', 1);
      const queue = open();
      const remote = await there(actor!, queue);
      queue.putManySync([1, 2, 3, 4, 5]);
      const [one, two, three] = [queue.takeSync(), queue.takeSync(), queue.takeSync()];
      three!.retry();
      one!.retry();
      one!.retry();
      one!.done(); // the lease is over
      assert.deepEqual(counts(queue), { size: 4, leased: 1, unfinished: 5 });
      assert.deepEqual(plain(await takes(remote)), { value: 1, deliveries: 2 });
      assert.deepEqual(plain(await takes(remote)), { value: 3, deliveries: 2 });
      assert.deepEqual(plain(await takes(remote)), { value: 4, deliveries: 1 });
      two!.retry();
      const again = queue.takeSync();
      assert.deepEqual(plain(again), { value: 2, deliveries: 2 });
      again.done();
      for (let deliveries = 1; deliveries <= 5; deliveries++) {
        const task = queue.takeSync();
        assert.deepEqual(plain(task), { value: 5, deliveries });
        task.retry();
      }
    });

    it('retry() wakes a waiter', async () => {
      const [actor] = await sharedActors('process', 1);
      const queue = open();
      const remote = await there(actor!, queue);
      for (const form of forms) {
        queue.putSync(1);
        const mine = queue.takeSync();
        const { taken } = await waitsToTake(remote, queue, form);
        mine.retry();
        assert.equal((await within(taken, 'the take')).deliveries, 2);
        await new RemoteObject(actor!, taken.id).call('done');
      }
    });

    it('using: the item is given back unless it is done', async () => {
      const queue = open();
      queue.putSync(1);
      const use = (done: boolean) => {
        const task = queue.takeSync();
        try {
          if (done) task.done();
          return task.deliveries;
        } finally {
          task[Symbol.dispose]();
        }
      };
      assert.equal(use(false), 1);
      assert.equal(queue.size(), 1);
      assert.equal(use(true), 2);
      assert.equal(queue.unfinished(), 0);
    });

    it('the task of a lease that is over cannot end the next lease', async () => {
      const queue = open();
      queue.putSync(1);
      const first = queue.takeSync();
      first.retry();
      const second = queue.takeSync();
      first.done();
      first[Symbol.dispose]();
      assert.deepEqual(counts(queue), { size: 0, leased: 1, unfinished: 1 });
      second.done();
      assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 0 });
    });

    it('takes and gets are served in the order of their calls', async () => {
      const queue = open();
      const order: string[] = [];
      const takes = (task: Task<number>) => {
        order.push(`take ${task.value}`);
        task.done();
      };
      const waits = [
        queue.take().then(takes),
        queue.get().then((value) => order.push(`get ${value}`)),
        queue.take().then(takes),
        queue.getMany(5).then((values) => order.push(`getMany ${values}`)),
      ];
      queue.putManySync([1, 2, 3, 4, 5]);
      await within(Promise.all(waits), 'all four');
      assert.deepEqual(order, ['take 1', 'get 2', 'take 3', 'getMany 4,5']);
    });

    it('each death raises deliveries: worker, process, worker', async () => {
      const queue = open();
      queue.putSync(1);
      for (const [i, place] of (['worker', 'process', 'worker'] as const).entries()) {
        const victim = await newActor(place);
        const task = await takes(await there(victim, queue));
        assert.equal(task.deliveries, i + 1);
        await victim.kill();
      }
      // tryTake() finds it, too, when no other call has looked before.
      let task: Task<number> | undefined;
      await until(() => (task = queue.tryTake()) !== undefined, 'the lease of the dead');
      assert.equal(task!.deliveries, 4);
      task!.done();
    });

    it('a thread that ends by itself gives its leases back', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      for (const place of remotePlaces) {
        const actor = await newActor(place);
        await takes(await there(actor, queue));
        const mine = queue.takeSync();
        const next = queue.take();
        if (place === 'process') await actor.exit();
        else await actor.crash();
        const again = await within(next, `the lease of a ${place} that has ended`);
        assert.ok(again.deliveries >= 2);
        again.retry();
        mine.retry();
      }
    });
  });

  it('get() and take() mixed in many processes and threads: each item once', async () => {
    const workers = [
      ...(await sharedActors('process', 3)),
      ...(await sharedActors('worker', 2)),
      await sharedActor('thread'),
    ];
    const queue = open({ maxSize: 50 });
    const ends = [];
    for (const [i, actor] of workers.entries()) {
      const remote = await there(actor, queue);
      ends.push(actor.act<number[]>('workBothWays', { queue: remote, seed: i }, 30_000));
    }
    const items = 3000;
    for (let i = 0; i < items; i++) await queue.put(i);
    await within(queue.join(), 'join()');
    queue.end();
    const all = (await Promise.all(ends)).flat();
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      Array.from({ length: items }, (_, i) => i),
    );
    const { puts, gets, leased, unfinished } = queue.inspect();
    assert.deepEqual(
      { puts, gets, leased, unfinished },
      { puts: items, gets: items, leased: 0, unfinished: 0 },
    );
  });
});
