// end(): pending waits and later calls are told when no item will come any more.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type RemoteObject,
  looksOnlyIfWoken,
  places,
  random,
  sharedActor,
  until,
  within,
} from '../../support/index.js';
import { ended, open } from '../../support/queue.js';
import { remoteOf, spinUntil } from './wait-helpers.js';

describe('Queue: putting, getting, waiting', () => {
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

    it('tryGet() and tryGetMany(): undefined while an item may come, EndedError when none can', () => {
      const queue = open<number>();
      assert.equal(queue.tryGet(), undefined);
      assert.equal(queue.tryGetMany(2), undefined);
      queue.putManySync([1, 2, 3]);
      queue.end();
      assert.equal(queue.tryGet(), 1, 'what is there can still be had');
      assert.deepEqual(queue.tryGetMany(5), [2, 3]);
      for (let i = 0; i < 2; i++) {
        assert.throws(() => queue.tryGet(), ended);
        assert.throws(() => queue.tryGetMany(5), ended);
      }
    });

    const end = (queue: RemoteObject, method: string, ...args: unknown[]) =>
      queue.actor.startAct<string | null>('howItEnded', { queue, method, args });

    it('all pending puts and gets are woken by it', async () => {
      // Those that do not block have no slice here: they would wait for ever.
      for (const place of places) await looksOnlyIfWoken(await sharedActor(place));
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
            waits.push(end(getter, 'get'), end(getter, 'getMany', 5));
            waits.push(end(putter, 'put', 1), end(putter, 'putMany', [1, 2]));
          } else {
            // A thread can block in only one of them.
            const sync = round % 2 === 0 ? 'getSync' : 'putSync';
            const args = round % 2 === 0 ? [{ timeout: 15_000 }] : [1, { timeout: 15_000 }];
            const remote = round % 2 === 0 ? getter : putter;
            waits.push(end(remote, sync, ...args));
          }
        }
        await until(() => {
          const sync = round % 2;
          return (
            empty.inspect().getters >= 3 + 2 * (1 - sync) && full.inspect().putters >= 3 + 2 * sync
          );
        }, 'all wait');
        empty.end();
        full.end();
        for (const error of await within(Promise.all(waits), 'EndedError everywhere')) {
          assert.equal(error, 'ERR_HOLDFAST_ENDED');
        }
        assert.equal(full.tryGet(), 0);
      }
    });
    it('an end() while a put is under way: the put fails, or its item is there for the getters', async function () {
      this.timeout(90_000);
      // putSync copies 24 MiB in its critical section, and end() comes at some moment before,
      // during or after that. If a getter was told that the queue is drained, no item may appear in
      // it later. If put returned, its item must be got.
      const chance = random('end() during put');
      const remote = await sharedActor('process');
      const outcomes = { put: 0, refused: 0 };
      for (let round = 0; round < 30; round++) {
        const queue = open<Buffer>({ maxBytes: 1 << 26 });
        const putter = await remote.attach(queue.toJSON());
        // In half of the rounds the ring has its size already, in the others it has to grow.
        if (round % 2 === 0) {
          queue.tryPut(Buffer.alloc(24 << 20));
          queue.tryGet();
        }
        const put = putter.actor.startAct('putStamped', {
          queue: putter,
          producer: 1,
          sequence: round,
          length: 24 << 20,
        });
        await put.started;
        if (round % 2 === 0) await sleep(chance.next() * 120);
        // A ring that grows shows that the put is under way. Then end() is called.
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
});
