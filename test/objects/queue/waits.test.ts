// Putting, getting and waiting: wherever the two sides live, however a wait ends, no item is lost, made up
// or delivered twice.
import assert from 'node:assert/strict';
import type { Queue } from 'holdfast';
import {
  type RemoteQueue,
  agentIn,
  closed,
  ended,
  fails,
  nowMs,
  open,
  pause,
  places,
  random,
  timedOut,
  until,
  useQueues,
  within,
} from '../../support/queue.js';

/** Without the tick of a timer between what happens and its being seen. */
function spinUntil(condition: () => boolean): void {
  const deadline = nowMs() + 20_000;
  while (!condition()) if (nowMs() > deadline) throw new Error('it did not come to that');
}

const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i);

describe('Queue: putting, getting, waiting', () => {
  useQueues();

  async function remoteOf(
    queue: { toJSON(): unknown },
    place: (typeof places)[number],
    number = 1,
  ): Promise<RemoteQueue> {
    return (await agentIn(place, number)).attach(queue.toJSON() as never);
  }

  // Of one batch all forms put or get the same: [name, wraps an item, unwraps it].
  const puts: [string, (item: unknown) => unknown][] = [
    ['put', (item) => item],
    ['putSync', (item) => item],
    ['tryPut', (item) => item],
    ['putMany', (item) => [item]],
    ['putManySync', (item) => [item]],
  ];
  const gets: [string, unknown[], (got: unknown) => unknown][] = [
    ['get', [{ timeout: 10_000 }], (got) => got],
    ['getSync', [{ timeout: 10_000 }], (got) => got],
    ['tryGet', [], (got) => got],
    ['getMany', [5, { timeout: 10_000 }], (got) => (got as unknown[])[0]],
    ['getManySync', [5, { timeout: 10_000 }], (got) => (got as unknown[])[0]],
    ['tryGetMany', [5], (got) => (got as unknown[])[0]],
  ];

  for (const from of places) {
    for (const to of places) {
      describe(`from a ${from} to a ${to}`, () => {
        let queue: Queue<unknown>;
        let putter: RemoteQueue;
        let getter: RemoteQueue;
        beforeEach(async () => {
          queue = open({ maxSize: 2 });
          putter = await remoteOf(queue, from, 1);
          getter = await remoteOf(queue, to, to === from ? 2 : 1);
        });

        it('every way to put meets every way to get', async () => {
          for (const [put, wrap] of puts) {
            for (const [get, args, unwrap] of gets) {
              const item = { put, get };
              await putter.call(put, wrap(item));
              assert.equal(queue.size(), 1); // in the queue for everybody the moment that put returned
              assert.deepEqual(unwrap(await getter.call(get, ...args)), item);
              assert.equal(queue.size(), 0);
            }
          }
        });

        it('size(), empty() and full() are exact the moment that a put or get returns', async () => {
          const seen = async (size: number) => {
            const state = { size, empty: size === 0, full: size === 2 };
            assert.deepEqual(await putter.act('state'), state);
            assert.deepEqual(await getter.act('state'), state);
            assert.deepEqual(
              { size: queue.size(), empty: queue.empty(), full: queue.full() },
              state,
            );
          };
          await seen(0);
          await putter.call('put', 1);
          await seen(1);
          await putter.call('putSync', 2);
          await seen(2);
          assert.equal(await putter.call('tryPut', 3), false);
          await seen(2);
          assert.equal(await getter.call('getSync'), 1);
          await seen(1);
          assert.equal(await getter.call('get'), 2);
          await seen(0);
          assert.equal(await getter.call('tryGet'), undefined);
          await seen(0);
        });

        for (const get of ['get', 'getSync'].slice(0, to === 'thread' ? 1 : 2)) {
          it(`a pending ${get}() ends with the item of a later put`, async () => {
            const pending = getter.start(get, { timeout: 10_000 });
            await pending.started;
            await putter.call('put', 'late');
            assert.equal(await within(pending, get), 'late');
          });
        }

        for (const put of ['put', 'putSync'].slice(0, from === 'thread' ? 1 : 2)) {
          it(`a pending ${put}() ends when a get makes room, and not before`, async () => {
            await putter.call('putMany', [1, 2]);
            const pending = putter.start(put, 3, { timeout: 10_000 });
            await pending.started;
            await pause(120); // two slices: whoever looks again by itself must not get in either
            assert.equal(queue.size(), 2);
            assert.equal(await getter.call('get'), 1);
            await within(pending, put);
            assert.deepEqual(await getter.call('tryGetMany', 5), [2, 3]);
          });
        }
      });
    }
  }

  describe('order', () => {
    it('puts of one thread take effect in the order of their calls, pending ones too', async () => {
      const queue = open<number>({ maxSize: 5 });
      const remote = await remoteOf(queue, 'process');
      const drained = remote.start<number[]>('getMany', 1);
      const items = upTo(3000);
      const putting = Promise.all(items.map((item) => queue.put(item)));
      const rest = remote.startAct<number[]>('drain');
      await within(putting, '3000 puts through 5 places');
      queue.end();
      assert.deepEqual([...(await drained), ...(await within(rest, 'drain'))], items);
    });

    it('each of four producers, two of them processes, keeps its order', async () => {
      const queue = open<[string, number]>({ maxSize: 3 });
      const producers = await Promise.all([
        remoteOf(queue, 'thread'),
        remoteOf(queue, 'worker'),
        remoteOf(queue, 'process', 1),
        remoteOf(queue, 'process', 2),
      ]);
      const putting = producers.map((producer, id) =>
        producer.startAct(
          'putAllAtOnce',
          upTo(400).map((n) => [id, n]),
        ),
      );
      const next = [0, 0, 0, 0];
      for (let n = 0; n < 1600; n++) {
        const [id, sequence] = (await queue.get({ timeout: 10_000 })) as unknown as number[];
        assert.equal(sequence, next[id!]!++);
      }
      await Promise.all(putting);
      assert.deepEqual(next, [400, 400, 400, 400]);
      assert.ok(queue.empty());
    });

    it('gets of one thread are served in the order of their calls', async () => {
      const queue = open<number>();
      const remote = await remoteOf(queue, 'process');
      const getting = upTo(200).map(() => queue.get({ timeout: 10_000 }));
      await remote.act('putAllAtOnce', upTo(200));
      assert.deepEqual(await Promise.all(getting), upTo(200));
    });

    it('put() stands behind pending puts of its thread; tryPut() overtakes them', async () => {
      const queue = open<string>({ maxSize: 1 });
      queue.tryPut('first');
      const pending = [queue.put('second'), queue.put('third')];
      assert.equal(queue.tryGet(), 'first');
      assert.equal(queue.tryPut('overtakes'), true);
      assert.equal(queue.tryGet(), 'overtakes');
      assert.equal(await queue.get(), 'second');
      assert.equal(await queue.get(), 'third');
      await Promise.all(pending);
    });
  });

  describe('maxSize', () => {
    for (const place of places) {
      it(`holds back a ${place} that puts without end`, async () => {
        const queue = open<number>({ maxSize: 7 });
        const remote = await remoteOf(queue, place);
        const putting = remote.startAct('putAllAtOnce', upTo(100));
        await until('seven items', () => queue.size() === 7);
        for (let n = 0; n < 100; n++) {
          assert.ok(queue.size() <= 7);
          assert.equal(await queue.get({ timeout: 10_000 }), n);
        }
        await within(putting, 'the last put');
        assert.ok(queue.empty());
      });
    }
    it('counts items of any size, empty ones too', () => {
      const queue = open<unknown>({ maxSize: 3 });
      for (const item of [null, Buffer.alloc(10_000), '']) assert.equal(queue.tryPut(item), true);
      assert.equal(queue.full(), true);
      assert.equal(queue.tryPut(null), false);
      queue.tryGet();
      assert.equal(queue.full(), false);
      assert.equal(queue.tryPut(null), true);
    });
  });

  describe('batches', () => {
    it('getMany takes what is there, at most count, at least one', async () => {
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

    it('takes any iterable, an empty one too', async () => {
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

    it('a batch that there is room for becomes visible at once', async () => {
      const queue = open<number>();
      const watcher = await remoteOf(queue, 'process');
      const watching = watcher.startAct<number[]>('watchSizes');
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

    it('putMany of more than there is room for goes in piece by piece, in order', async () => {
      const queue = open<number>({ maxSize: 10 });
      const remote = await remoteOf(queue, 'process');
      const drained = remote.startAct<number[]>('drain');
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

    it('an item in a batch that is too large refuses the whole batch', async () => {
      const queue = open<unknown>({ maxBytes: 65_536 });
      const batch = [1, Buffer.alloc(65_529), 2];
      await assert.rejects(queue.putMany(batch), RangeError);
      assert.throws(() => queue.putManySync(batch), RangeError);
      assert.equal(queue.size(), 0);
    });

    it('the work of a putMany that waits does not grow with the square of its length', async () => {
      // 20 times the items through the same ten places are 20 times the work, not 400 times. A factor
      // between two times of one run, with a wide margin, so no maximum run time.
      const time = async (length: number) => {
        const queue = open<number>({ maxSize: 10 });
        const startedAt = nowMs();
        const putting = queue.putMany(upTo(length));
        for (let got = 0; got < length; ) got += (await queue.getMany(10)).length;
        await putting;
        return nowMs() - startedAt;
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

  describe('iteration', () => {
    it('takes items until the queue has been ended and drained', async () => {
      const queue = open<number>({ maxSize: 4 });
      const remote = await remoteOf(queue, 'process');
      const putting = remote.startAct('putAllAtOnce', upTo(200)).then(() => remote.call('end'));
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
      await until('the iteration waits', () => queue.inspect().getters === 1);
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
      const draining = remotes.map((remote) => remote.startAct<number[]>('drain'));
      for (const item of upTo(2000)) await queue.put(item);
      queue.end();
      const all = (await within(Promise.all(draining), 'draining')).flat();
      assert.deepEqual(
        all.sort((a, b) => a - b),
        upTo(2000),
      );
    });
  });

  describe('end()', () => {
    for (const place of places) {
      it(`in a ${place}: puts are EndedError everywhere, getters drain first`, async () => {
        const queue = open<number>();
        await queue.putMany([1, 2, 3]);
        const remote = await remoteOf(queue, place);
        await remote.call('end');
        await remote.call('end');
        assert.equal(queue.ended(), true);
        await assert.rejects(queue.put(4), ended);
        assert.throws(() => queue.putSync(4), ended);
        assert.throws(() => queue.tryPut(4), ended);
        await assert.rejects(queue.putMany([4]), ended);
        assert.throws(() => queue.putManySync([4]), ended);
        await assert.rejects(remote.call('put', 4), ended);
        assert.equal(queue.size(), 3);
        assert.equal(await remote.call('get'), 1);
        assert.deepEqual(queue.tryGetMany(10), [2, 3]);
        await assert.rejects(queue.get(), ended);
        assert.throws(() => queue.getSync(), ended);
        assert.throws(() => queue.tryGet(), ended);
        assert.throws(() => queue.tryGetMany(5), ended);
        await assert.rejects(remote.call('getMany', 2), ended);
        for await (const item of queue) assert.fail(String(item));
      });
    }

    it('pending puts and gets of everybody get it, without waiting for a slice each', async () => {
      const delays: number[] = [];
      for (let round = 0; round < 10; round++) {
        const empty = open<number>();
        const full = open<number>({ maxSize: 1 });
        full.tryPut(0);
        const waits = [];
        for (const [place, number] of [
          ['thread', 1],
          ['worker', 1],
          ['worker', 2],
          ['process', 1],
          ['process', 2],
        ] as const) {
          const getter = await remoteOf(empty, place, number);
          const putter = await remoteOf(full, place, number);
          if (number === 1) {
            waits.push(getter.startAct<Ended>('endedAt', 'get'));
            waits.push(getter.startAct<Ended>('endedAt', 'getMany', 5));
            waits.push(putter.startAct<Ended>('endedAt', 'put', 1));
            waits.push(putter.startAct<Ended>('endedAt', 'putMany', [1, 2]));
          } else {
            // A thread can block in one of them only.
            const sync = round % 2 === 0 ? 'getSync' : 'putSync';
            const args = round % 2 === 0 ? [{ timeout: 15_000 }] : [1, { timeout: 15_000 }];
            const remote = round % 2 === 0 ? getter : putter;
            waits.push(remote.startAct<Ended>('endedAt', sync, ...args));
          }
        }
        await until('all wait', () => {
          const sync = round % 2;
          return (
            empty.inspect().getters >= 3 + 2 * (1 - sync) && full.inspect().putters >= 3 + 2 * sync
          );
        });
        const endedAt = nowMs();
        empty.end();
        full.end();
        for (const { error, at } of await within(Promise.all(waits), 'EndedError everywhere')) {
          assert.equal(error, 'ERR_HOLDFAST_ENDED');
          delays.push(at - endedAt);
        }
        assert.equal(full.tryGet(), 0);
      }
      delays.sort((a, b) => a - b);
      const median = delays[delays.length >> 1]!;
      console.log(
        `      EndedError after end(): median ${median.toFixed(1)} ms, max ${delays.at(-1)!.toFixed(1)} ms`,
      );
      // A ring takes well below a millisecond; looking by oneself 25 ms in the median.
      assert.ok(median < 20, `median ${median} ms`);
    });
    interface Ended {
      error: string | null;
      at: number;
    }

    it('an end() while a put is under way: the put fails, or its item is there for the getters', async function () {
      this.timeout(90_000);
      // putSync copies 24 MiB under the guard; end() comes at some moment before, during or after
      // that. If a getter has been told that the queue is drained, no item may appear in it later, and
      // if put returned, its item must be got.
      const chance = random('end() during put');
      const remote = await agentIn('process');
      const outcomes = { put: 0, refused: 0 };
      for (let round = 0; round < 30; round++) {
        const queue = open<Buffer>({ maxBytes: 1 << 26 });
        const putter = await remote.attach(queue.toJSON());
        // Half of the rounds in a ring that has its size already, half in one that has to grow.
        if (round % 2 === 0) {
          queue.tryPut(Buffer.alloc(24 << 20));
          queue.tryGet();
        }
        const put = putter.startAct('putStamped', 1, round, 24 << 20);
        await put.started;
        if (round % 2 === 0) await pause(chance.next() * 120);
        // In a ring that grows we can see that the put is under way: end() comes right then.
        else spinUntil(() => queue.inspect().capacity > 65_536);
        queue.end();
        let got = 0;
        try {
          for (;;) if (queue.tryGet() !== undefined) got++;
        } catch (error) {
          ended(error);
        }
        const succeeded = await within(put, 'putSync').then(
          () => 1,
          (error: unknown) => (ended(error), 0),
        );
        if (succeeded) outcomes.put++;
        else outcomes.refused++;
        assert.equal(got, succeeded, `round ${round}: put ${succeeded}, got ${got}`);
        assert.equal(queue.size(), 0);
        queue.close();
      }
      console.log(
        `      end() at random: ${outcomes.put} puts before it, ${outcomes.refused} refused`,
      );
    });
  });

  describe('a wait that ends otherwise', () => {
    for (const place of places) {
      it(`in a ${place}: timeout, abort and close reject a pending get, and the item stays`, async () => {
        const queue = open<string>();
        const remote = await remoteOf(queue, place);
        const startedAt = nowMs();
        await assert.rejects(remote.call('get', { timeout: 80 }), timedOut);
        assert.ok(nowMs() - startedAt >= 79);
        if (place !== 'thread') {
          await assert.rejects(remote.call('getSync', { timeout: 80 }), timedOut);
        }
        const aborted = remote.startAbortable('get');
        await aborted.started;
        await remote.agent.abort(aborted);
        await assert.rejects(within(aborted, 'abort'), fails('ENOUGH'));
        const closing = remote.start('getMany', 3);
        await closing.started;
        await remote.call('close');
        await assert.rejects(within(closing, 'close'), closed);
        await queue.put('stays');
        await pause(60); // a slice: nobody may still be looking
        assert.equal(queue.size(), 1);
        assert.equal(queue.tryGet(), 'stays');
      });

      it(`in a ${place}: timeout, abort and close reject a pending put, and nothing is put`, async () => {
        const queue = open<string>({ maxSize: 1 });
        const remote = await remoteOf(queue, place);
        queue.tryPut('first');
        await assert.rejects(remote.call('put', 'a', { timeout: 60 }), timedOut);
        if (place !== 'thread') {
          await assert.rejects(remote.call('putSync', 'b', { timeout: 60 }), timedOut);
        }
        const aborted = remote.startAbortable('put', 'c');
        await aborted.started;
        await remote.agent.abort(aborted);
        await assert.rejects(within(aborted, 'abort'), fails('ENOUGH'));
        const closing = remote.start('put', 'd');
        await closing.started;
        await remote.call('close');
        await assert.rejects(within(closing, 'close'), closed);
        assert.equal(queue.tryGet(), 'first');
        await pause(60);
        assert.equal(queue.size(), 0);
        assert.equal(queue.inspect().puts, 1);
      });
    }

    it('a signal that was aborted before rejects at once, with its reason, and touches nothing', async () => {
      const queue = open<number>();
      queue.tryPut(1);
      const signal = AbortSignal.abort(Object.assign(new Error(), { code: 'BEFORE' }));
      await assert.rejects(queue.get({ signal }), fails('BEFORE'));
      await assert.rejects(queue.getMany(2, { signal }), fails('BEFORE'));
      await assert.rejects(queue.put(2, { signal }), fails('BEFORE'));
      await assert.rejects(queue.putMany([2], { signal }), fails('BEFORE'));
      assert.deepEqual(queue.tryGetMany(5), [1]);
    });

    it('close() rejects all pending gets, also when an item has just come', async () => {
      // The item is in the queue, its ring still in the bell: close() withdraws the first get, and that
      // lets the second have the item in the middle of the round that rejects them all.
      for (const waiting of [1, 2, 3, 4, 7]) {
        for (const items of [1, 2, 5]) {
          const queue = open<number>();
          const other = open<number>({ name: queue.name });
          const gets = upTo(waiting).map(() => queue.get());
          const outcome = Promise.allSettled(gets);
          for (const item of upTo(items)) queue.tryPut(item);
          queue.close();
          const settled = await within(outcome, `${waiting} gets, ${items} items`, 3000);
          const got = settled.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
          for (const end of settled) if (end.status === 'rejected') closed(end.reason);
          assert.deepEqual([...got, ...(other.tryGetMany(10) ?? [])], upTo(items));
        }
      }
    });

    it('close() rejects all pending puts, also when there has just been room', async () => {
      for (const waiting of [1, 2, 3, 4, 7]) {
        const queue = open<number>({ maxSize: 1 });
        const other = open<number>({ name: queue.name });
        queue.tryPut(-1);
        const outcome = Promise.allSettled(upTo(waiting).map((item) => queue.put(item)));
        assert.equal(queue.tryGet(), -1);
        queue.close();
        const settled = await within(outcome, `${waiting} puts`, 3000);
        const put = settled.flatMap((end, item) => (end.status === 'fulfilled' ? [item] : []));
        assert.deepEqual(other.tryGetMany(10) ?? [], put);
      }
    });

    it('close() of one handle leaves the waits through another handle of the thread', async () => {
      const first = open<number>();
      const second = open<number>({ name: first.name });
      const gets = [first.get(), second.get(), first.get(), second.get()];
      const outcome = Promise.allSettled(gets);
      first.close();
      await second.put(1);
      await second.put(2);
      const settled = await within(outcome, 'all four');
      assert.deepEqual(
        settled.map((end) => (end.status === 'fulfilled' ? end.value : end.reason.code)),
        ['ERR_HOLDFAST_CLOSED', 1, 'ERR_HOLDFAST_CLOSED', 2],
      );
    });

    it('200 rounds: gets end by timeout, abort, close or item; the ledger is exact', async () => {
      // Two consumers, so that a ring that reached the one that gave up must be passed on to the other.
      const chance = random('gets that give up');
      const queue = open<number>({ maxSize: 20 });
      const stop = open<number>();
      const producerAgent = await agentIn('process', 1);
      const producer = await producerAgent.attach(queue.toJSON());
      const producerStop = await producerAgent.attach(stop.toJSON());
      const producing = producer.startAct<number>('produceUntil', chance.whole(0, 2 ** 31), 3, {
        queue: producerStop.key,
      });
      const rival = await remoteOf(queue, 'process', 2);
      const rivalling = rival.startAct<number[]>('drainPausing', chance.whole(0, 2 ** 31), 4);

      const calls: number[][] = []; // what each call got; promises may settle in another order
      const ends = { item: 0, timeout: 0, abort: 0, close: 0 };
      for (let round = 0; round < 200; round++) {
        const handle = open<number>({ name: queue.name });
        const controller = new AbortController();
        const waits = upTo(chance.whole(1, 4)).map((n) => {
          const options =
            n % 2 === 0 ? { timeout: chance.whole(0, 6) } : { signal: controller.signal };
          const wait: Promise<number | number[]> =
            chance.next() < 0.3 ? handle.getMany(3, options) : handle.get(options);
          const items: number[] = [];
          calls.push(items);
          return wait.then(
            (taken) => void (items.push(...[taken].flat()), ends.item++),
            (error: { code: string; name: string }) => {
              if (error.code === 'ERR_HOLDFAST_TIMEOUT') ends.timeout++;
              else if (error.code === 'ERR_HOLDFAST_CLOSED') ends.close++;
              else if (error.name === 'AbortError') ends.abort++;
              else throw error;
            },
          );
        });
        await pause(chance.next() * 4);
        if (chance.next() < 0.5) handle.close();
        else controller.abort();
        await within(Promise.all(waits), `round ${round} of seed ${chance.seed}`, 5000);
        if (chance.next() < 0.2) {
          try {
            calls.push([handle.getSync({ timeout: chance.whole(0, 3) })]);
          } catch (error) {
            const { code } = error as { code: string };
            assert.ok(/_TIMEOUT$|_CLOSED$/.test(code), code);
          }
        }
        handle.close();
      }
      await stop.put(0);
      const rest: number[] = [];
      for await (const item of queue) rest.push(item);
      const produced = await within(producing, 'producing');
      const rivals = await within(rivalling, 'the other consumer');
      const got = calls.flat();
      console.log(
        `      ${produced} items, ${got.length} here, ${rivals.length} there; ` +
          `item ${ends.item}, timeout ${ends.timeout}, abort ${ends.abort}, close ${ends.close}`,
      );
      const all = [...got, ...rest, ...rivals].sort((a, b) => a - b);
      assert.deepEqual(all, upTo(produced));
      for (const one of [[...got, ...rest], rivals]) {
        assert.ok(
          one.every((item, i) => i === 0 || item > one[i - 1]!),
          'order',
        );
      }
    });

    it('200 rounds: puts end by timeout, abort, close or room; the ledger is exact', async () => {
      const chance = random('puts that give up');
      const queue = open<number>({ maxSize: 2 });
      const consumer = await remoteOf(queue, 'process');
      const consuming = consumer.startAct<number[]>('drainPausing', chance.whole(0, 2 ** 31), 3);
      const put: number[] = [];
      let next = 0;
      let refused = 0;
      for (let round = 0; round < 200; round++) {
        const handle = open<number>({ name: queue.name });
        const controller = new AbortController();
        const waits = upTo(chance.whole(1, 5)).map((n) => {
          const item = next++;
          const options =
            n % 2 === 0 ? { timeout: chance.whole(0, 6) } : { signal: controller.signal };
          return handle.put(item, options).then(
            () => void put.push(item),
            () => refused++,
          );
        });
        await pause(chance.next() * 4);
        if (chance.next() < 0.5) handle.close();
        else controller.abort();
        await within(Promise.all(waits), `round ${round} of seed ${chance.seed}`, 5000);
        handle.close();
      }
      queue.end();
      const got = await within(consuming, 'the consumer');
      console.log(`      ${put.length} put, ${refused} refused`);
      // Numbers follow the order of the calls; the promises may settle in another one.
      assert.deepEqual(
        got,
        put.sort((a, b) => a - b),
      );
    });
  });

  it('wrong arguments of a wait are TypeError or RangeError, and touch nothing', async () => {
    const queue = open<number>();
    queue.tryPut(1);
    for (const options of [null, 5, 'x', [], { timeout: '1' }, { signal: {} }] as never[]) {
      await assert.rejects(queue.get(options), TypeError);
      await assert.rejects(queue.put(2, options), TypeError);
      assert.throws(() => queue.getSync(options), TypeError);
      assert.throws(() => queue.putSync(2, options), TypeError);
    }
    for (const timeout of [-1, NaN, 2 ** 31, Infinity]) {
      await assert.rejects(queue.get({ timeout }), RangeError);
      assert.throws(() => queue.putSync(2, { timeout }), RangeError);
    }
    const { signal } = new AbortController();
    assert.throws(() => queue.getSync({ signal } as never), TypeError);
    assert.equal(queue.size(), 1);
  });
});
