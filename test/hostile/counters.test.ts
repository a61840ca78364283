// Counters wrap around. Then nothing is lost, and no value is mistaken for another one.
import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import {
  Barrier,
  BoundedSemaphore,
  Event,
  JoinableQueue,
  Lock,
  Queue,
  RLock,
  ReadWriteLock,
  TimeoutError,
} from 'holdfast';
import {
  freshName,
  header,
  queueBody,
  newProcess,
  platform,
  registry,
  temporaryDirectory,
  writeWord,
} from '../support/index.js';

describe('surroundings', () => {
  describe('counters that wrap around', () => {
    const body = header.length;
    const most = { offset: (1n << 40n) - 1n, items: (1n << 24n) - 1n };
    const position = (offset: bigint, items: bigint) => (items << 40n) | offset;

    for (const [title, offset, items] of [
      ['offsets', most.offset - 20n, 5n],
      ['counts of items', 8n, most.items - 10n],
      ['both', most.offset - 20n, most.items - 10n],
    ] as const) {
      for (const Kind of [Queue, JoinableQueue]) {
        it(`${Kind.name}: ${title}`, () => {
          const name = freshName('wrap');
          const queue = new Kind<string>({ name });
          for (const at of [body, body + 64]) writeWord(name, at, position(offset, items));
          writeWord(name, queueBody.counts, items);
          writeWord(name, queueBody.ready, offset);
          const wanted: string[] = [];
          for (let round = 0; round < 40; round++) {
            queue.putManySync([`a${round}`, `b${round}`.repeat(round)]);
            wanted.push(`a${round}`, `b${round}`.repeat(round));
            assert.equal(queue.size(), wanted.length);
            if (round % 4 === 3) {
              // The ring grows on the way, so that it is copied across the wrap, too.
              if (round === 19) {
                queue.putSync('x'.repeat(200_000));
                wanted.push('x'.repeat(200_000));
              }
              assert.deepEqual(queue.getManySync(5), wanted.splice(0, 5));
            }
          }
          while (wanted.length > 0) assert.equal(queue.getSync(), wanted.shift());
          assert.equal(queue.tryGet(), undefined);
          assert.equal(queue.inspect().bytes, 0);
          queue.close();
        });
      }
    }

    it('JoinableQueue: leases across the wrap', () => {
      const name = freshName('wrap');
      const queue = new JoinableQueue<number>({ name });
      for (const at of [body, body + 64]) {
        writeWord(name, at, position(most.offset - 30n, most.items - 10n));
      }
      writeWord(name, queueBody.counts, most.items - 10n);
      writeWord(name, queueBody.ready, most.offset - 30n);
      for (let n = 0; n < 30; n++) queue.putSync(n);
      const tasks = Array.from({ length: 30 }, () => queue.takeSync({ timeout: 1000 }));
      assert.deepEqual(
        tasks.map((task) => task.value),
        Array.from({ length: 30 }, (_, n) => n),
      );
      tasks[3]!.retry();
      for (const task of tasks.toReversed()) task.done();
      const again = queue.takeSync({ timeout: 1000 });
      assert.deepEqual([again.value, again.deliveries], [3, 2]);
      again.done();
      queue.joinSync({ timeout: 1000 });
      assert.equal(queue.inspect().bytes, 0);
      queue.close();
    });

    // A hold has a number, and JavaScript must be able to tell it from the next one.
    for (const before of [2n ** 41n, 2n ** 42n, 2n ** 52n, 2n ** 53n, 2n ** 64n]) {
      it(`acquisitions, around ${before}`, async () => {
        const number = BigInt.asUintN(64, before - 3n);
        for (const [Kind, at] of [
          [Lock, body + 8],
          [RLock, body + 8],
        ] as const) {
          const name = freshName('wrap');
          const lock = new Kind({ name });
          writeWord(name, at, number);
          for (let round = 0; round < 8; round++) {
            const guard = lock.acquireSync({ timeout: 1000 });
            guard.release();
            assert.equal(lock.locked(), false);
            await lock.runExclusive(() => assert.equal(lock.locked(), true));
          }
          lock.close();
        }
        const bounded = new BoundedSemaphore(3, { name: freshName('wrap') });
        writeWord(bounded.name, body, number);
        for (let round = 0; round < 4; round++) {
          const guards = [1, 2, 3].map(() => bounded.acquireSync({ timeout: 1000 }));
          assert.equal(bounded.tryAcquire(), null);
          for (const guard of guards) guard.release();
          assert.equal(bounded.value(), 3);
        }
        bounded.close();
        const readWrite = new ReadWriteLock({ name: freshName('wrap') });
        writeWord(readWrite.name, body + 24, number);
        for (let round = 0; round < 4; round++) {
          const readers = [1, 2].map(() => readWrite.acquireSharedSync({ timeout: 1000 }));
          for (const guard of readers) guard.release();
          readWrite.acquireExclusiveSync({ timeout: 1000 }).release();
        }
        readWrite.close();
      });
    }

    it('Barrier: rounds', async () => {
      const barrier = new Barrier(2, { name: freshName('wrap') });
      writeWord(barrier.name, body, ((1n << 46n) - 3n) << 18n);
      for (let round = 0; round < 8; round++) {
        const all = await Promise.all([
          barrier.wait({ timeout: 5000 }),
          barrier.wait({ timeout: 5000 }),
        ]);
        assert.deepEqual(all, [0, 1]);
      }
      await assert.rejects(barrier.wait({ timeout: 10 }), TimeoutError);
      barrier.reset();
      assert.equal(barrier.broken(), false);
      barrier.close();
    });

    it('Event: how often it was set', async () => {
      for (const before of [2n ** 53n, 2n ** 64n]) {
        const event = new Event({ name: freshName('wrap') });
        writeWord(event.name, body, before - 6n);
        for (let round = 0; round < 6; round++) {
          const wait = event.wait({ timeout: 5000 });
          event.set();
          event.clear(); // the waiter sees the pulse
          await wait;
          assert.equal(event.isSet(), false);
        }
        event.close();
      }
    });

    it('wait sets: where to look first', async () => {
      const name = freshName('wrap');
      const lock = new Lock({ name });
      const waiters = body + (platform === 'linux' ? 128 : 64);
      writeWord(name, waiters + 16, 0xfffffffe_fffffffen);
      for (let round = 0; round < 6; round++) {
        const guard = lock.acquireSync({ timeout: 1000 });
        const waits = [lock.acquire({ timeout: 5000 }), lock.acquire({ timeout: 5000 })];
        guard.release();
        for (const wait of waits) (await wait).release();
      }
      lock.close();
    });

    it('ids of agents and tags of objects', async () => {
      const directory = temporaryDirectory();
      const env = { HOLDFAST_DIR: directory };
      const first = await newProcess({ env });
      const lock = await first.open('Lock', { name: 'it' });
      const fd = openSync(path.join(directory, 'registry'), 'r+');
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE((1n << 51n) - 7n); // each object takes four, each agent one
      writeSync(fd, bytes, 0, 8, header.length);
      const others = [];
      for (let i = 0; i < 4; i++) {
        const other = await newProcess({ env });
        const own = await other.open('Lock', { name: `own ${i}` });
        const theirs = await other.open('Lock', { name: 'it' });
        assert.ok(await own.tryAcquire());
        others.push(theirs);
      }
      readSync(fd, bytes, 0, 8, header.length);
      closeSync(fd);
      assert.ok(bytes.readBigUInt64LE() < 100n, 'it has begun again');
      let hold = await lock.acquire();
      for (const theirs of others) {
        const wait = theirs.acquire({ timeout: 20_000 });
        await wait.started;
        await hold.release();
        hold = await wait;
        assert.equal(hold.abandoned, false);
      }
      await others[3]!.actor.kill();
      assert.equal((await lock.acquire({ timeout: 20_000 })).abandoned, true);
      assert.equal(registry.slotLength, 64);
    });
  });
});
