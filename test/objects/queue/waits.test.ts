// Putting and getting, with the two sides in any two places: no item is lost, invented or delivered
// twice.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'holdfast';
import { type RemoteObject, places, until, within } from '../../support/index.js';
import { open } from '../../support/queue.js';
import { gets, puts, remoteOf, upTo } from './wait-helpers.js';

describe('Queue: putting, getting, waiting', () => {
  for (const from of places) {
    for (const to of places) {
      describe(`from a ${from} to a ${to}`, () => {
        let queue: Queue<unknown>;
        let putter: RemoteObject;
        let getter: RemoteObject;
        beforeEach(async () => {
          queue = open({ maxSize: 2 });
          putter = await remoteOf(queue, from, 1);
          getter = await remoteOf(queue, to, to === from ? 2 : 1);
        });

        it('every way to put works with every way to get', async () => {
          for (const [put, wrap] of puts) {
            for (const [get, args, unwrap] of gets) {
              const item = { put, get };
              await putter.call(put, wrap(item));
              // Every process sees it in the queue as soon as the put has returned.
              assert.equal(queue.size(), 1);
              assert.deepEqual(unwrap(await getter.call(get, ...args)), item);
              assert.equal(queue.size(), 0);
            }
          }
        });

        it('size(), empty() and full() are exact as soon as a put or get returns', async () => {
          const seen = async (size: number) => {
            const state = { size, empty: size === 0, full: size === 2 };
            assert.deepEqual(await putter.actor.act('queueState', { queue: putter }), state);
            assert.deepEqual(await getter.actor.act('queueState', { queue: getter }), state);
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
            await sleep(120); // two slices: even a waiter that looks by itself must not get in
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
      const rest = remote.actor.startAct<number[]>('drain', { queue: remote });
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
        producer.actor.startAct('putAllAtOnce', {
          queue: producer,
          items: upTo(400).map((n) => [id, n]),
        }),
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
      await remote.actor.act('putAllAtOnce', { queue: remote, items: upTo(200) });
      assert.deepEqual(await Promise.all(getting), upTo(200));
    });

    it('put() queues behind pending puts of its thread; tryPut() overtakes them', async () => {
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
        const putting = remote.actor.startAct('putAllAtOnce', {
          queue: remote,
          items: upTo(100),
        });
        await until(() => queue.size() === 7, 'seven items');
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
});
