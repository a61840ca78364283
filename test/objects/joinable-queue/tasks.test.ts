// JoinableQueue: tasks(), a loop that leases each item while its body runs; and empty() compared
// with size().
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { Task } from 'holdfast';
import {
  remotePlaces,
  assertRejects,
  assertThrows,
  newActor,
  newProcess,
  sharedActors,
  stateOf,
  twoSlices,
  until,
  within,
} from '../../support/index.js';
import { counts, open, plain, takes, there } from './helpers.js';

describe('JoinableQueue', () => {
  describe('tasks()', () => {
    it('hands out each item on lease, until the queue has been ended and all is done', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      const values: number[] = [];
      const loop = (async () => {
        for await (const task of queue.tasks()) {
          assert.deepEqual([task.deliveries, queue.inspect().leased], [1, 1]);
          values.push(task.value);
          task.done();
        }
      })();
      await queue.join();
      assert.equal(await stateOf(loop), 'pending', 'it waits for more');
      queue.putSync(3);
      queue.end();
      await within(loop, 'the loop');
      assert.deepEqual(values, [1, 2, 3]);
      assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 0 });
      for await (const task of queue.tasks()) assert.fail(String(task.value));
    });

    it('a body that ends without done() gives the item back, and done() is refused then', async () => {
      const queue = open();
      queue.putManySync([1, 2]);
      const seen: [value: number, deliveries: number][] = [];
      let first: Task<number> | undefined;
      for await (const task of queue.tasks()) {
        seen.push([task.value, task.deliveries]);
        first ??= task;
        if (task.deliveries === 1) continue; // forgotten
        assertThrows(() => first!.done(), 'NotOwnerError', { objectName: queue.name });
        first.retry(); // which it was
        first[Symbol.dispose]();
        assert.equal(queue.inspect().leased, 1, 'nothing of this ends the lease of another');
        task.done();
        if (queue.unfinished() === 0) break;
      }
      assert.deepEqual(seen, [
        [1, 1],
        [1, 2],
        [2, 1],
        [2, 2],
      ]);
    });

    it('retry() in the body gives it back, too', async () => {
      const queue = open();
      queue.putManySync([1]);
      queue.end();
      let turns = 0;
      for await (const task of queue.tasks()) {
        if (++turns < 3) task.retry();
        else task.done();
      }
      assert.equal(turns, 3);
    });

    it('break, return and throw give the item back, unless it is done', async () => {
      const queue = open();
      const leave = {
        break: async (done: boolean) => {
          for await (const task of queue.tasks()) {
            if (done) task.done();
            break;
          }
        },
        return: async (done: boolean) => {
          for await (const task of queue.tasks()) {
            if (done) task.done();
            return;
          }
        },
        throw: async (done: boolean) => {
          for await (const task of queue.tasks()) {
            if (done) task.done();
            throw new Error('out of the body');
          }
        },
      };
      for (const [how, loop] of Object.entries(leave)) {
        const left = (done: boolean) =>
          how === 'throw' ? assert.rejects(loop(done), /out of the body/) : loop(done);
        queue.putSync(1);
        await left(false);
        assert.deepEqual(counts(queue), { size: 1, leased: 0, unfinished: 1 }, how);
        await left(true);
        assert.deepEqual(counts(queue), { size: 0, leased: 0, unfinished: 0 }, how);
      }
    });

    it('a consumer killed in the body: the item is handed out again', async () => {
      for (const place of remotePlaces) {
        const queue = open();
        const victim = await newActor(place);
        const remote = await there(victim, queue);
        queue.putManySync([1, 2, 3]);
        victim.act('loopOverTasks', { queue: remote, hangAt: 2 }).catch(() => {});
        await until(() => queue.inspect().leased === 1 && queue.size() === 1, 'the body');
        const rescue = (async () => {
          const seen: object[] = [];
          for await (const task of queue.tasks()) {
            seen.push(plain(task));
            task.done();
          }
          return seen;
        })();
        await victim.kill();
        queue.end();
        const seen = await within(rescue, `the items of a killed ${place}`);
        assert.deepEqual(seen, [
          { value: 3, deliveries: 1 },
          { value: 2, deliveries: 2 },
        ]);
        await queue.join();
      }
    });

    it('several loops share the items, and each ends', async () => {
      const [a, b] = await sharedActors('process', 2);
      const queue = open();
      const ends = await Promise.all(
        [a!, b!].map(async (actor) => {
          const remote = await there(actor, queue);
          return { items: actor.act<number[]>('loopOverTasks', { queue: remote, hangAt: -1 }) };
        }),
      );
      const items = Array.from({ length: 50 }, (_, i) => i);
      await queue.putMany(items);
      queue.end();
      const got = await within(Promise.all(ends.map((end) => end.items)), 'both loops');
      assert.deepEqual(
        got.flat().toSorted((x, y) => x - y),
        items,
      );
    });

    it('its options are those of take(); what take() rejects with, it throws', async () => {
      const queue = open();
      const first = async (options?: object) => {
        for await (const task of queue.tasks(options)) return task.value;
        return undefined;
      };
      await assertRejects(first({ timeout: 20 }), 'TimeoutError');
      const reason = new Error('enough');
      await assert.rejects(first({ signal: AbortSignal.abort(reason) }), reason);
      await assert.rejects(first({ timeout: -1 }), RangeError);
      await assert.rejects(first({ timout: 1 }), TypeError);
      const waiting = first();
      assert.equal(await stateOf(waiting), 'pending');
      queue.close();
      await assertRejects(waiting, 'ClosedError');
    });

    it('calls of next() at one time are served one after the other', async () => {
      const queue = open();
      const tasks = queue.tasks();
      const [one, two] = [tasks.next(), tasks.next()];
      queue.putManySync([1, 2]);
      assert.deepEqual(plain((await one).value as Task<number>), { value: 1, deliveries: 1 });
      assert.deepEqual(plain((await two).value as Task<number>), { value: 1, deliveries: 2 });
      await tasks.return();
      assert.deepEqual(counts(queue), { size: 2, leased: 0, unfinished: 2 });
    });

    it('return() calls off the next() that waits, and takes nothing', async () => {
      const queue = open();
      const tasks = queue.tasks();
      const next = tasks.next();
      await until(() => queue.inspect().getters === 1, 'next() waits');
      const left = tasks.return();
      assert.equal(queue.inspect().getters, 0, 'at once');
      assert.deepEqual(await within(next, 'next()'), { done: true, value: undefined });
      assert.deepEqual(await within(left, 'return()'), { done: true, value: undefined });
      queue.putSync(1);
      await twoSlices();
      assert.deepEqual(counts(queue), { size: 1, leased: 0, unfinished: 1 });
      const failing = queue.tasks();
      queue.takeSync().done();
      const pending = failing.next();
      const reason = new Error('left by throw()');
      await assert.rejects(within(failing.throw(reason), 'throw()'), reason);
      assert.deepEqual(await pending, { done: true, value: undefined });
      assert.equal(queue.inspect().getters, 0);
    });

    it('return() in the turn that leases a task gives the task back', async () => {
      for (let turns = 0; turns < 8; turns++) {
        const queue = open();
        const tasks = queue.tasks();
        const next = tasks.next();
        const other = queue.take(); // served in the same turn
        await until(() => queue.inspect().getters === 2, 'both wait');
        queue.putManySync([1, 2]);
        await other.then(async () => {
          for (let i = 0; i < turns; i++) await undefined;
          await tasks.return();
        });
        await next;
        (await other).retry();
        assert.deepEqual(counts(queue), { size: 2, leased: 0, unfinished: 2 });
        queue.close();
      }
    });

    it('Readable.from(tasks()) that is destroyed gives back what it had taken ahead', async () => {
      const queue = open();
      queue.putManySync([1, 2, 3]);
      const stream = Readable.from(queue.tasks());
      stream.read();
      await until(() => stream.readableLength === 1, 'a task ahead');
      const closing = new Promise((resolve) => stream.once('close', resolve));
      stream.destroy();
      await within(closing, 'close');
      assert.deepEqual(counts(queue), { size: 3, leased: 0, unfinished: 3 });
      const seen: number[] = [];
      for await (const task of Readable.from(queue.tasks(), { highWaterMark: 0 })) {
        await twoSlices();
        task.done();
        if (seen.push(task.value) === 2) break;
      }
      assert.deepEqual(seen, [1, 2]);
      assert.deepEqual(counts(queue), { size: 1, leased: 0, unfinished: 1 });
    });
  });

  it('empty() agrees with size(): leased, given back, done, freed by a death', async () => {
    const queue = open();
    const agree = (size: number) => {
      assert.equal(queue.size(), size);
      assert.equal(queue.empty(), size === 0);
    };
    agree(0);
    queue.putSync(1);
    agree(1);
    const task = queue.takeSync();
    agree(0);
    task.retry();
    agree(1);
    const victim = await newProcess();
    await takes(await there(victim, queue));
    agree(0);
    await victim.kill();
    // Each question is the first one after a death: nothing else has looked for the item.
    assert.equal(queue.empty(), false);
    agree(1);
    const next = await newProcess();
    await takes(await there(next, queue));
    await next.kill();
    agree(1);
    queue.takeSync().done();
    agree(0);
  });
});
