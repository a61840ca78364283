// putMany() and getMany().
import assert from 'node:assert/strict';
import { isPutManyError } from 'holdfast';
import { now, within } from '../../support/index.js';
import { fails, open } from '../../support/queue.js';
import { remoteOf, upTo } from './wait-helpers.js';

describe('Queue: putting, getting, waiting', () => {
  describe('batches', () => {
    it('getMany takes the items that are there: at least one, at most count', async () => {
      const queue = open<number>();
      await queue.putMany(upTo(10));
      assert.deepEqual(await queue.getMany(4), [0, 1, 2, 3]);
      assert.deepEqual(queue.getManySync(100), [4, 5, 6, 7, 8, 9]);
      assert.equal(queue.tryGetMany(1), undefined);
      const pending = queue.getMany(3, { timeout: 5000 });
      const remote = await remoteOf(queue, 'process');
      await remote.call('put', 'one is enough');
      assert.deepEqual(await pending, ['one is enough']);
    });

    it('a batch has 4 MiB at most, unless one item is larger', async () => {
      const queue = open<string | Buffer>();
      const items = ['a', 'b', 'c'].map((letter, i) => Buffer.alloc((3 + i) << 20, letter));
      await queue.putMany([items[0]!, 'x', items[1]!, items[2]!, 'y', 'z']);
      assert.deepEqual(await queue.getMany(10), [items[0], 'x']);
      assert.deepEqual(queue.getManySync(10), [items[1]]);
      assert.deepEqual(queue.tryGetMany(10), [items[2]]);
      assert.deepEqual(queue.tryGetMany(1), ['y']);
      assert.deepEqual(await queue.getMany(10), ['z']);
    });

    for (const count of [0, -1, 1.5, NaN, 1_000_001, Infinity]) {
      it(`RangeError for ${count} items`, async () => {
        const queue = open<number>();
        await assert.rejects(queue.getMany(count), RangeError);
        assert.throws(() => queue.getManySync(count), RangeError);
        assert.throws(() => queue.tryGetMany(count), RangeError);
      });
    }
    it('TypeError for a count that is no number, and items that cannot be iterated', async () => {
      const queue = open<number>();
      await assert.rejects(queue.getMany('3' as never), TypeError);
      for (const items of [null, undefined, 5, {}]) {
        await assert.rejects(queue.putMany(items as never), TypeError);
        assert.throws(() => queue.putManySync(items as never), TypeError);
      }
      assert.ok(queue.empty());
    });

    it('takes any iterable, even an empty one', async () => {
      const queue = open<unknown>();
      await queue.putMany([]);
      queue.putManySync(new Set());
      assert.ok(queue.empty());
      await queue.putMany(
        (function* () {
          yield 1;
          yield 2;
        })(),
      );
      queue.putManySync(new Set([3, 4]));
      assert.deepEqual(queue.tryGetMany(10), [1, 2, 3, 4]);
    });

    it('a batch that has room becomes visible as a whole', async () => {
      const queue = open<number>();
      const watcher = await remoteOf(queue, 'process');
      const watching = watcher.actor.startAct<number[]>('watchSizes', { queue: watcher });
      await watching.started;
      for (let round = 0; round < 300; round++) {
        queue.putManySync(upTo(50));
        assert.equal(queue.getManySync(50).length, 50);
      }
      queue.end();
      const sizes = await within(watching, 'watching sizes');
      assert.deepEqual(
        sizes.filter((size) => size !== 0 && size !== 50),
        [],
      );
    });

    it('putMany of more items than fit puts them piece by piece, in order', async () => {
      const queue = open<number>({ maxSize: 10 });
      const remote = await remoteOf(queue, 'process');
      const drained = remote.actor.startAct<number[]>('drain', { queue: remote });
      await queue.putMany(upTo(500));
      queue.putManySync(upTo(1000, 500), { timeout: 20_000 });
      queue.end();
      assert.deepEqual(await within(drained, 'drain'), upTo(1000));
    });

    it('putMany that ends early says how many were put', async () => {
      const queue = open<number>({ maxSize: 10 });
      const done = (code: string, wanted: number) => (error: unknown) => {
        assert.equal((error as { done: number }).done, wanted);
        return fails(code)(error);
      };
      await assert.rejects(
        queue.putMany(upTo(25), { timeout: 60 }),
        done('ERR_HOLDFAST_TIMEOUT', 10),
      );
      assert.deepEqual(queue.tryGetMany(100), upTo(10));
      assert.throws(
        () => queue.putManySync(upTo(12), { timeout: 60 }),
        done('ERR_HOLDFAST_TIMEOUT', 10),
      );
      assert.deepEqual(queue.tryGetMany(100), upTo(10));
      const controller = new AbortController();
      const reason = Object.assign(new Error('enough'), { code: 'ENOUGH' });
      const pending = queue.putMany(upTo(15), { signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(pending, done('ENOUGH', 10));
      const remote = await remoteOf(queue, 'process');
      const elsewhere = remote.start('putMany', upTo(3));
      await elsewhere.started;
      queue.end();
      await assert.rejects(within(elsewhere, 'putMany'), done('ERR_HOLDFAST_ENDED', 0));
      assert.deepEqual(queue.tryGetMany(100), upTo(10));
    });

    it('isPutManyError() is true for each way to end early, and for nothing else', async () => {
      const queue = open<unknown>({ maxSize: 2 });
      const endedEarly = async (items: Iterable<unknown>, options?: object) => {
        const put = queue.putMany(items, options);
        const error = await put.then(
          () => assert.fail('it was put'),
          (reason: unknown) => reason,
        );
        queue.tryGetMany(10);
        return isPutManyError(error) ? error.done : error;
      };
      assert.equal(await endedEarly(upTo(5), { timeout: 20 }), 2);
      assert.equal(await endedEarly([1, undefined]), 0, 'what cannot travel is found first');
      assert.equal(await endedEarly(upTo(5), { timeout: -1 }), 0);
      assert.equal(await endedEarly(upTo(1), { signal: AbortSignal.abort() }), 0);
      const frozen = Object.freeze(new Error('enough'));
      for (const reason of [frozen, 'enough', { done: 7 }]) {
        assert.equal(await endedEarly(upTo(5), { signal: AbortSignal.abort(reason) }), reason);
      }
      assert.throws(() => queue.putManySync([1, () => {}]), isPutManyError);
      for (const other of [undefined, null, 7, new Error('other'), { done: 1 }]) {
        assert.equal(isPutManyError(other), false);
      }
    });

    it('a batch with an item that is too large is refused as a whole', async () => {
      const queue = open<unknown>({ maxBytes: 65_536 });
      const batch = [1, Buffer.alloc(65_529), 2];
      await assert.rejects(queue.putMany(batch), RangeError);
      assert.throws(() => queue.putManySync(batch), RangeError);
      assert.equal(queue.size(), 0);
    });

    it('the work of a putMany that waits does not grow with the square of its length', async () => {
      // 20 times the items through the same ten places are 20 times the work, not 400 times. The
      // test compares two times of one run, with a wide margin, so it asserts no maximum.
      const time = async (length: number) => {
        const queue = open<number>({ maxSize: 10 });
        const startedAt = now();
        const putting = queue.putMany(upTo(length));
        for (let got = 0; got < length; ) got += (await queue.getMany(10)).length;
        await putting;
        return now() - startedAt;
      };
      await time(400);
      const short = await time(400);
      const long = await time(8000);
      console.log(
        `      putMany, maxSize 10: 400 items ${short.toFixed(0)} ms, 8000 ${long.toFixed(0)} ms`,
      );
      assert.ok(long < 20 * 6 * Math.max(short, 5), `${long / short} times the work`);
    });
  });
});
