// JoinableQueue: join() waits until every item that was put is done. The first part follows
// CPython's TestQueue.test_task_done and Python's documentation of join().
import assert from 'node:assert/strict';
import {
  remotePlaces,
  RemoteObject,
  assertRejects,
  assertThrows,
  forms,
  newActor,
  newProcess,
  now,
  sharedActors,
  stateOf,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { open, there, counts, takes, waitsToTake, plain } from './helpers.js';

describe('JoinableQueue', () => {
  describe('cells', () => {
    it('across processes', async () => {
      const [first, second] = await sharedActors('process', 2);
      const queue = open();
      const [a, b] = [await there(first!, queue), await there(second!, queue)];
      const joined = b.start('join');
      await joined; // nothing was put
      for (let i = 0; i < 10; i++) await a.call('put', i);
      const waits = a.start('joinSync');
      await until(() => queue.inspect().joiners === 1, 'a join');
      for (let i = 0; i < 10; i++) {
        if (i % 2 === 0) {
          assert.equal(await b.call('get'), i);
          await b.call('taskDone');
        } else {
          const task = await takes(b);
          assert.deepEqual(plain(task), { value: i, deliveries: 1 });
          await task.done();
        }
        assert.equal(queue.unfinished(), 9 - i);
      }
      await within(waits, 'join()');
    });

    it('in workers', async () => {
      const [first, second] = await sharedActors('worker', 2);
      const queue = open();
      const [a, b] = [await there(first!, queue), await there(second!, queue)];
      for (let i = 0; i < 4; i++) queue.putSync(i);
      const joined = queue.join();
      const tasks = [
        await takes(a),
        await takes(b, 'sync'),
        await takes(a, 'sync'),
        await takes(b),
      ];
      assert.deepEqual(
        tasks.map(({ value }) => value),
        [0, 1, 2, 3],
      );
      assert.deepEqual(counts(queue), { size: 0, leased: 4, unfinished: 4 });
      for (const task of tasks.reverse()) await task.done();
      await within(joined, 'join()');
    });

    it('sync', async () => {
      const [actor] = await sharedActors('process', 1);
      const queue = open();
      const remote = await there(actor!, queue);
      const { taken } = await waitsToTake(remote, queue, 'sync');
      queue.putSync(7);
      assert.equal((await within(taken, 'takeSync()')).value, 7);
      // The items are done while this thread is blocked.
      queue.putSync(8);
      const works = remote.start('getSync');
      const says = works.then(() => remote.start('taskDone'));
      await works;
      const settles = new RemoteObject(actor!, taken.id).start('done');
      await Promise.all([says, settles]);
      queue.joinSync({ timeout: 20_000 });
      assert.throws(() => queue.taskDone());
    });

    it('async', async () => {
      const queue = open();
      const order: string[] = [];
      const worker = async (title: string) => {
        for (;;) {
          const task = await queue.take();
          order.push(`${title} ${task.value}`);
          await new Promise((resolve) => setImmediate(resolve));
          task.done();
        }
      };
      const workers = ['a', 'b'].map((title) => worker(title).catch((error) => error.code));
      for (let i = 0; i < 6; i++) await queue.put(i);
      await within(queue.join(), 'join()');
      assert.deepEqual(
        order.map((entry) => entry.slice(2)),
        ['0', '1', '2', '3', '4', '5'],
      );
      queue.end();
      assert.deepEqual(await Promise.all(workers), ['ERR_HOLDFAST_ENDED', 'ERR_HOLDFAST_ENDED']);
    });

    it('timeout', async () => {
      const queue = open();
      const about = { kind: 'JoinableQueue', objectName: queue.name };
      const lasts = async (ms: number, wait: () => unknown) => {
        const began = now();
        await assertRejects((async () => wait())(), 'TimeoutError', about);
        assert.ok(now() - began >= ms);
      };
      await lasts(30, () => queue.take({ timeout: 30 }));
      await lasts(30, () => queue.takeSync({ timeout: 30 }));
      await lasts(0, () => queue.take({ timeout: 0 }));
      assert.equal(queue.tryTake(), undefined);
      queue.putSync(1);
      await lasts(30, () => queue.join({ timeout: 30 }));
      await lasts(30, () => queue.joinSync({ timeout: 30 }));
      await lasts(0, () => queue.joinSync({ timeout: 0 }));
      // A take that timed out has leased nothing.
      const task = await queue.take({ timeout: 0 });
      assert.deepEqual(plain(task), { value: 1, deliveries: 1 });
      await lasts(20, () => queue.take({ timeout: 20 }));
      task.done();
      await queue.join({ timeout: 0 });
    });

    it('abort', async () => {
      const queue = open();
      const reason = new Error('enough');
      for (const wait of ['take', 'join'] as const) {
        if (wait === 'join') queue.putSync(1);
        await assert.rejects(queue[wait]({ signal: AbortSignal.abort(reason) }), reason);
        const controller = new AbortController();
        const during = queue[wait]({ signal: controller.signal });
        await twoSlices();
        controller.abort(reason);
        await assert.rejects(during, reason);
      }
      // In the turn in which the item arrives, it is neither taken nor lost.
      const controller = new AbortController();
      (await queue.take()).done();
      const wait = queue.take({ signal: controller.signal });
      controller.abort(reason);
      queue.putSync(2);
      await assert.rejects(wait, reason);
      const task = await queue.take();
      assert.deepEqual(plain(task), { value: 2, deliveries: 1 });
      task.done();
    });

    // Here, to hold is to have a lease.
    it('killed while holding', async () => {
      const [other] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        for (const form of forms) {
          const queue = open();
          const victim = await newActor(place);
          const [remote, waiter] = [await there(victim, queue), await there(other!, queue)];
          queue.putSync(5);
          queue.putSync(6);
          await takes(remote, form);
          await takes(remote, form);
          assert.deepEqual(counts(queue), { size: 0, leased: 2, unfinished: 2 });
          const { taken } = await waitsToTake(waiter, queue, form);
          const joined = queue.join();
          await victim.kill();
          assert.deepEqual(await within(taken, `${place}, ${form}: the lease of the dead`), {
            abandoned: undefined,
            value: 5,
            deliveries: 2,
          });
          const task = queue.takeSync({ timeout: 20_000 });
          assert.deepEqual(plain(task), { value: 6, deliveries: 2 });
          assert.equal(await stateOf(joined), 'pending');
          task.done();
          await new RemoteObject(other!, taken.id).call('done');
          await within(joined, 'join()');
        }
      }
    });

    it('killed while waiting', async () => {
      const [other] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        for (const form of forms) {
          const queue = open();
          const victim = await newActor(place);
          const [remote, waiter] = [await there(victim, queue), await there(other!, queue)];
          await waitsToTake(remote, queue, form);
          const { taken } = await waitsToTake(waiter, queue, form);
          await victim.kill();
          queue.putSync(1);
          // The dead taker may have been woken for the item, but it has not taken it.
          assert.equal((await within(taken, 'the item')).deliveries, 1);

          const joins = await newActor(place);
          void (await there(joins, queue)).start(form === 'sync' ? 'joinSync' : 'join');
          await until(() => queue.inspect().joiners === 1, 'a join');
          await joins.kill();
          assert.equal(queue.inspect().joiners, 0);
          await new RemoteObject(other!, taken.id).call('done');
          await within(queue.join(), 'join()');
        }
      }
    });

    // In crashes/joinable-queue-kills.test.ts processes are killed at every instant of a put or of
    // the end of a lease. Here they are killed right after it.
    it('killed while notifying', async () => {
      const [other] = await sharedActors('process', 1);
      for (const place of remotePlaces) {
        const queue = open();
        const victim = await newActor(place);
        const [remote, waiter] = [await there(victim, queue), await there(other!, queue)];
        const { taken } = await waitsToTake(waiter, queue, 'sync');
        void remote.start('putSync', 3);
        await until(() => queue.inspect().puts === 1, 'the put');
        await victim.kill();
        assert.equal((await within(taken, 'the item')).value, 3);
        const joined = queue.join();
        await new RemoteObject(other!, taken.id).call('done');
        await within(joined, 'join()');
      }
    });
  });

  describe('join() and taskDone(), as in Python', () => {
    it('join() waits for as many taskDone() as there were puts', async () => {
      const four = await sharedActors('process', 4);
      const queue = open();
      const ends = await Promise.all(
        four.map(async (actor, i) => {
          const remote = await there(actor, queue);
          return {
            items: actor.act<number[]>('workBothWays', { queue: remote, seed: 2 * i }, 30_000),
          };
        }),
      );
      for (let i = 0; i < 10; i++) await queue.put(i);
      await within(queue.join(), 'join()');
      assert.equal(queue.unfinished(), 0);
      queue.end();
      const items = (await Promise.all(ends.map(({ items }) => items))).flat();
      assert.deepEqual(
        items.toSorted((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
    });

    it('taskDone() too often is an OverReleaseError; it counts items that get() took', async () => {
      const queue = open();
      assertThrows(() => queue.taskDone(), 'OverReleaseError', { kind: 'JoinableQueue' });
      queue.putSync(1);
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
      const task = queue.takeSync();
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
      task.done();
      queue.putManySync([1, 2, 3]);
      assert.deepEqual(queue.getManySync(3), [1, 2, 3]);
      assert.equal(queue.unfinished(), 3);
      for (let i = 0; i < 3; i++) queue.taskDone();
      assertThrows(() => queue.taskDone(), 'OverReleaseError');
      assert.throws(
        () => queue.taskDone(),
        /: taskDone\(\) was called more often than get\(\) took/,
      );
    });

    it('any thread may call it for any item; every join() ends', async () => {
      const [a, b] = await sharedActors('process', 2);
      const queue = open();
      const joins: Promise<unknown>[] = [];
      queue.putSync(1);
      for (const actor of [a!, b!]) {
        const remote = await there(actor, queue);
        joins.push(actor === a ? remote.start('join') : remote.start('joinSync'), queue.join());
      }
      await until(() => queue.inspect().joiners === 4, 'four joins');
      assert.equal(await queue.get(), 1);
      await twoSlices();
      assert.deepEqual(await Promise.all(joins.map(stateOf)), Array(4).fill('pending'));
      await (await there(a!, queue)).call('taskDone');
      await within(Promise.all(joins), 'all of them');
    });

    it('an item that a killed consumer had got is lost, and join() waits for it', async () => {
      const queue = open();
      const victim = await newProcess();
      queue.putSync(1);
      await (await there(victim, queue)).call('get');
      await victim.kill();
      await assertRejects(queue.join({ timeout: 120 }), 'TimeoutError');
      assert.equal(queue.unfinished(), 1);
      queue.taskDone();
      await queue.join();
    });
  });
});
