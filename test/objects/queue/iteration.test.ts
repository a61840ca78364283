// Loops over a queue: how they end, and that leaving a loop takes no item.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { Queue } from 'holdfast';
import { stateOf, twoSlices, until, within } from '../../support/index.js';
import { closed, open } from '../../support/queue.js';
import { remoteOf, upTo } from './wait-helpers.js';

describe('Queue: putting, getting, waiting', () => {
  describe('iteration', () => {
    it('takes items until the queue has been ended and drained', async () => {
      const queue = open<number>({ maxSize: 4 });
      const remote = await remoteOf(queue, 'process');
      const putting = remote.actor
        .startAct('putAllAtOnce', { queue: remote, items: upTo(200) })
        .then(() => remote.call('end'));
      const seen: number[] = [];
      for await (const item of queue) seen.push(item);
      await putting;
      assert.deepEqual(seen, upTo(200));
    });
    it('leaving the loop loses no item', async () => {
      const queue = open<number>();
      await queue.putMany(upTo(10));
      for await (const item of queue) if (item === 3) break;
      assert.deepEqual(queue.tryGetMany(10), upTo(10, 4));
    });
    it('close() ends it with ClosedError', async () => {
      const queue = open<number>();
      const iterating = (async () => {
        for await (const item of queue) assert.fail(String(item));
      })();
      await until(() => queue.inspect().getters === 1, 'the iteration waits');
      queue.close();
      await assert.rejects(iterating, closed);
    });
    it('several iterations share the items', async () => {
      const queue = open<number>();
      const remotes = await Promise.all([
        remoteOf(queue, 'process', 1),
        remoteOf(queue, 'process', 2),
        remoteOf(queue, 'worker'),
      ]);
      const draining = remotes.map((remote) =>
        remote.actor.startAct<number[]>('drain', { queue: remote }),
      );
      for (const item of upTo(2000)) await queue.put(item);
      queue.end();
      const all = (await within(Promise.all(draining), 'draining')).flat();
      assert.deepEqual(
        all.sort((a, b) => a - b),
        upTo(2000),
      );
    });
  });

  describe('an iteration that is left', () => {
    const waits = (queue: Queue<number>, getters = 1) =>
      until(() => queue.inspect().getters === getters, 'the iteration waits');
    /** Checks that no wait is left that would take the next items. */
    async function nothingIsTaken(queue: Queue<number>): Promise<void> {
      assert.equal(queue.inspect().getters, 0);
      queue.putManySync([7, 8]);
      await twoSlices();
      assert.deepEqual(queue.tryGetMany(10), [7, 8]);
    }

    it('return() calls off the next() that waits', async () => {
      const queue = open<number>();
      const items = queue[Symbol.asyncIterator]();
      const next = items.next();
      await waits(queue);
      const left = items.return!('left');
      assert.equal(queue.inspect().getters, 0, 'at once');
      assert.deepEqual(await within(next, 'next()'), { done: true, value: undefined });
      assert.deepEqual(await left, { done: true, value: 'left' });
      await nothingIsTaken(queue);
    });
    it('return() calls off all its pending next(), and no other get', async () => {
      const queue = open<number>();
      const items = queue[Symbol.asyncIterator]();
      const nexts = [items.next(), items.next(), items.next()];
      const other = queue.get();
      const another = queue[Symbol.asyncIterator]().next();
      await waits(queue, 5);
      // The item is there, and this thread has not heard of it yet. The first next() to leave must
      // not pass it to the second.
      queue.putSync(1);
      await items.return!();
      for (const next of nexts) assert.deepEqual(await next, { done: true, value: undefined });
      assert.equal(await within(other, 'the other get'), 1);
      queue.putSync(2);
      assert.equal((await within(another, 'the other iterator')).value, 2);
      await nothingIsTaken(queue);
    });
    it('next() after return() takes nothing, even if there is an item', async () => {
      const queue = open<number>();
      queue.putManySync([1, 2, 3]);
      const items = queue[Symbol.asyncIterator]();
      assert.equal((await items.next()).value, 1);
      await items.return!();
      assert.deepEqual(await items.next(), { done: true, value: undefined });
      await items.return!();
      assert.deepEqual(queue.tryGetMany(5), [2, 3]);
    });
    it('next() resolves to the item that it took before return()', async () => {
      const queue = open<number>();
      queue.putManySync([1, 2]);
      const items = queue[Symbol.asyncIterator]();
      const next = items.next();
      await items.return!();
      assert.deepEqual(await next, { done: false, value: 1 });
      assert.deepEqual(queue.tryGetMany(5), [2]);
    });
    it('an item that comes in the turn of return() is delivered or stays', async () => {
      for (let turns = 0; turns < 8; turns++) {
        const queue = open<number>();
        const items = queue[Symbol.asyncIterator]();
        const next = items.next();
        const other = queue.get();
        await waits(queue, 2);
        queue.putManySync([1, 2, 3]);
        await other.then(async () => {
          for (let i = 0; i < turns; i++) await undefined;
          await items.return!();
        });
        const got = [(await next).value, await other, ...(queue.tryGetMany(5) ?? [])];
        assert.deepEqual(got, [1, 2, 3]);
      }
    });
    it('destroying Readable.from(queue) while it waits takes nothing', async () => {
      const queue = open<number>();
      for (const error of [undefined, new Error('destroyed with this')]) {
        const stream = Readable.from(queue);
        stream.on('error', () => {});
        stream.read();
        await waits(queue);
        const ended = new Promise((resolve) => stream.once('close', resolve));
        stream.destroy(error);
        await within(ended, 'close');
        await nothingIsTaken(queue);
      }
    });
    it('Readable.from() takes one item ahead, and none with highWaterMark 0', async () => {
      for (const [ahead, options] of [
        [1, {}],
        [0, { highWaterMark: 0 }],
      ] as const) {
        const queue = open<number>();
        queue.putManySync(upTo(10));
        for await (const item of Readable.from(queue, options)) {
          await new Promise((resolve) => setImmediate(resolve));
          if (item === 3) break;
        }
        assert.deepEqual(queue.tryGetMany(10), upTo(10, 4 + ahead), `ahead: ${ahead}`);
      }
    });
    it('leaving a loop over such a stream leaves the next item in the queue', async () => {
      const queue = open<number>();
      const looping = (async () => {
        for await (const item of Readable.from(queue, { highWaterMark: 0 })) if (item === 1) break;
      })();
      await waits(queue);
      assert.equal(await stateOf(looping), 'pending');
      queue.putManySync([1, 2]);
      await within(looping, 'the loop');
      assert.deepEqual(queue.tryGetMany(5), [2]);
      await nothingIsTaken(queue);
    });
  });
});
