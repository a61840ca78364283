// A wait for a queue that ends without success: by a timeout, an abort, close() or a death. No item
// is lost by that.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'holdfast';
import {
  type RemoteObject,
  now,
  places,
  random,
  sharedActor,
  within,
} from '../../support/index.js';
import { closed, fails, open, timedOut } from '../../support/queue.js';
import { remoteOf, upTo } from './wait-helpers.js';

const drainPausing = (queue: RemoteObject, seed: number, mostMs: number) =>
  queue.actor.startAct<number[]>('drainPausing', { queue, seed, mostMs });

function getSyncOrNothing(queue: Queue<number>, timeout: number): number[] {
  try {
    return [queue.getSync({ timeout })];
  } catch (error) {
    const { code } = error as { code: string };
    assert.ok(/_TIMEOUT$|_CLOSED$/.test(code), code);
    return [];
  }
}

describe('Queue: putting, getting, waiting', () => {
  describe('a wait that ends without success', () => {
    for (const place of places) {
      it(`in a ${place}: timeout, abort and close reject a pending get, and the item stays`, async () => {
        const queue = open<string>();
        const remote = await remoteOf(queue, place);
        const startedAt = now();
        await assert.rejects(remote.call('get', { timeout: 80 }), timedOut);
        assert.ok(now() - startedAt >= 79);
        if (place !== 'thread') {
          await assert.rejects(remote.call('getSync', { timeout: 80 }), timedOut);
        }
        const aborted = remote.startAbortable('get');
        await aborted.started;
        await aborted.abort('ENOUGH');
        await assert.rejects(within(aborted, 'abort'), fails('ENOUGH'));
        const closing = remote.start('getMany', 3);
        await closing.started;
        await remote.call('close');
        await assert.rejects(within(closing, 'close'), closed);
        await queue.put('stays');
        await sleep(60); // a slice: no wait may still look
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
        const aborted = remote.startAbortable('put', 'c', {});
        await aborted.started;
        await aborted.abort('ENOUGH');
        await assert.rejects(within(aborted, 'abort'), fails('ENOUGH'));
        const closing = remote.start('put', 'd');
        await closing.started;
        await remote.call('close');
        await assert.rejects(within(closing, 'close'), closed);
        assert.equal(queue.tryGet(), 'first');
        await sleep(60);
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
      // The item is in the queue, and its wake-up is in the doorbell, not read yet. close()
      // withdraws the first get. Now the second one could take the item, in the middle of the loop
      // that rejects them all.
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

    it('close() of one object does not end waits through another object of the thread', async () => {
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
      // There are two consumers. If one gives up, its wake-up must be passed on to the other.
      const chance = random('gets that give up');
      const queue = open<number>({ maxSize: 20 });
      const stop = open<number>();
      const producerActor = await sharedActor('process', 1);
      const producer = await producerActor.attach(queue.toJSON());
      const producerStop = await producerActor.attach(stop.toJSON());
      const producing = producerActor.startAct<number>('produceUntil', {
        queue: producer,
        seed: chance.whole(0, 2 ** 31),
        mostMs: 3,
        stop: producerStop,
      });
      const rival = await remoteOf(queue, 'process', 2);
      const rivalling = drainPausing(rival, chance.whole(0, 2 ** 31), 4);

      const calls: number[][] = []; // what each call got; promises may settle in another order
      const ends = { item: 0, timeout: 0, abort: 0, close: 0 };
      for (let round = 0; round < 200; round++) {
        const object = open<number>({ name: queue.name });
        const controller = new AbortController();
        const waits = upTo(chance.whole(1, 4)).map((n) => {
          const options =
            n % 2 === 0 ? { timeout: chance.whole(0, 6) } : { signal: controller.signal };
          const wait: Promise<number | number[]> =
            chance.next() < 0.3 ? object.getMany(3, options) : object.get(options);
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
        await sleep(chance.next() * 4);
        if (chance.next() < 0.5) object.close();
        else controller.abort();
        await within(Promise.all(waits), `round ${round} of seed ${chance.seed}`, 5000);
        if (chance.next() < 0.2) calls.push(getSyncOrNothing(object, chance.whole(0, 3)));
        object.close();
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
      const consuming = drainPausing(consumer, chance.whole(0, 2 ** 31), 3);
      const put: number[] = [];
      let next = 0;
      let refused = 0;
      for (let round = 0; round < 200; round++) {
        const object = open<number>({ name: queue.name });
        const controller = new AbortController();
        const waits = upTo(chance.whole(1, 5)).map((n) => {
          const item = next++;
          const options =
            n % 2 === 0 ? { timeout: chance.whole(0, 6) } : { signal: controller.signal };
          return object.put(item, options).then(
            () => void put.push(item),
            () => refused++,
          );
        });
        await sleep(chance.next() * 4);
        if (chance.next() < 0.5) object.close();
        else controller.abort();
        await within(Promise.all(waits), `round ${round} of seed ${chance.seed}`, 5000);
        object.close();
      }
      queue.end();
      const got = await within(consuming, 'the consumer');
      console.log(`      ${put.length} put, ${refused} refused`);
      // The numbers follow the order of the calls. The promises may settle in another order.
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
