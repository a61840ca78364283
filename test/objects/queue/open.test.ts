// Opening and closing a queue: limits, lifetime, handles, counters.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type Handle, Lock, Queue, attach, list, unlink } from 'holdfast';
import { Program, freshName, objectFile, places, sharedActor } from '../../support/index.js';
import { bytesStored, closed, fails, incompatible, open, timedOut } from '../../support/queue.js';

describe('Queue: opening and closing', () => {
  describe('limits', () => {
    for (const maxSize of [0, -1, 1.5, NaN, Infinity, 16_777_216, 2 ** 40]) {
      it(`RangeError for maxSize ${maxSize}`, () => {
        assert.throws(() => open({ maxSize }), RangeError);
      });
    }
    for (const maxBytes of [0, -65_536, 65_535, 65_536.5, NaN, 1_073_741_825, Infinity]) {
      it(`RangeError for maxBytes ${maxBytes}`, () => {
        assert.throws(() => open({ maxBytes }), RangeError);
      });
    }
    for (const wrong of ['10', null, {}, true, 10n]) {
      it(`TypeError for ${typeof wrong} ${String(wrong)}`, () => {
        assert.throws(() => open({ maxSize: wrong as never }), TypeError);
        assert.throws(() => open({ maxBytes: wrong as never }), TypeError);
      });
    }
    for (const options of [null, 1, 'name', []]) {
      it(`TypeError for ${JSON.stringify(options)} as options`, () => {
        assert.throws(() => new Queue(options as never), TypeError);
      });
    }
    it('leaves nothing behind when it refuses', () => {
      const name = freshName();
      assert.throws(() => open({ name, maxSize: 0 }), RangeError);
      assert.throws(() => open({ name, codec: 'nonsense' as never }), TypeError);
      assert.ok(!list().some((entry) => entry.name === name));
    });
    it('takes the smallest and the largest', () => {
      open({ maxSize: 1, maxBytes: 65_536 });
      open({ maxSize: 16_777_215, maxBytes: 1_073_741_824 });
    });

    it('opening with other limits is IncompatibleError, here and elsewhere', async () => {
      const name = freshName();
      const queue = open({ name, maxSize: 10, maxBytes: 100_000 });
      queue.tryPut('kept');
      const actor = await sharedActor('process');
      for (const other of [{ maxSize: 11 }, { maxBytes: 65_536 }, { maxSize: 10, maxBytes: 1e6 }]) {
        assert.throws(() => open({ name, ...other }), incompatible);
        await assert.rejects(actor.make('Queue', { name, ...other }), incompatible);
      }
      open({ name });
      open({ name, maxSize: 10 });
      open({ name, maxBytes: 100_000 });
      await actor.make('Queue', { name, maxSize: 10, maxBytes: 100_000 });
      assert.equal(queue.tryGet(), 'kept');
    });
    it('an existing queue without maxSize does not match a given maxSize', () => {
      const name = freshName();
      open({ name });
      assert.throws(() => open({ name, maxSize: 10 }), incompatible);
    });
    it('to give a default is the same as to leave it out', () => {
      const name = freshName();
      const queue = open({ name });
      const { maxSize, maxBytes } = queue.inspect();
      assert.deepEqual({ maxSize, maxBytes }, { maxSize: 16_777_215, maxBytes: 67_108_864 });
      open({ name, maxSize: 16_777_215, maxBytes: 67_108_864, codec: 'structured' });
    });
    it('the name of another kind is IncompatibleError', () => {
      const name = freshName();
      const lock = new Lock({ name });
      assert.throws(() => open({ name }), incompatible);
      lock.close();
      open({ name });
      assert.throws(() => new Lock({ name }), incompatible);
    });
    it('exclusive and mustExist', () => {
      const name = freshName();
      assert.throws(() => open({ name, mustExist: true }), fails('ERR_HOLDFAST_NOT_FOUND'));
      open({ name, exclusive: true });
      assert.throws(() => open({ name, exclusive: true }), fails('ERR_HOLDFAST_EXISTS'));
      open({ name, mustExist: true });
    });
  });

  describe('use after close', () => {
    const uses: Record<string, (queue: Queue<unknown>) => unknown> = {
      put: (queue) => queue.put(1),
      putSync: (queue) => queue.putSync(1),
      tryPut: (queue) => queue.tryPut(1),
      putMany: (queue) => queue.putMany([1]),
      putManySync: (queue) => queue.putManySync([1]),
      get: (queue) => queue.get(),
      getSync: (queue) => queue.getSync(),
      tryGet: (queue) => queue.tryGet(),
      getMany: (queue) => queue.getMany(1),
      getManySync: (queue) => queue.getManySync(1),
      tryGetMany: (queue) => queue.tryGetMany(1),
      size: (queue) => queue.size(),
      empty: (queue) => queue.empty(),
      full: (queue) => queue.full(),
      end: (queue) => queue.end(),
      ended: (queue) => queue.ended(),
      inspect: (queue) => queue.inspect(),
      'for await': async (queue) => {
        for await (const item of queue) return item;
        return undefined;
      },
    };
    for (const [what, use] of Object.entries(uses)) {
      it(`${what} is ClosedError, and other users do not notice`, async () => {
        const name = freshName();
        const other = open({ name });
        other.tryPut('kept');
        const queue = open({ name });
        queue.close();
        await assert.rejects(async () => use(queue), closed);
        assert.equal(other.size(), 1);
        assert.equal(other.ended(), false);
      });
    }
    it('close() again does nothing; name and toJSON() stay', () => {
      const queue = open();
      const { name } = queue;
      queue.close();
      queue.close();
      queue[Symbol.dispose]();
      assert.equal(queue.name, name);
      assert.deepEqual(queue.toJSON(), { holdfast: 'Queue', name });
    });
    it('a second object of the same thread stays open', () => {
      const first = open();
      const second = open({ name: first.name });
      first.tryPut(1);
      first.close();
      assert.equal(second.tryGet(), 1);
    });
  });

  describe('lifetime', () => {
    it('a queue whose last user closes is gone, with its items and its file', () => {
      const name = freshName();
      const first = open({ name });
      const second = open({ name });
      first.tryPut('gone with it');
      const file = objectFile(first.name);
      first.close();
      assert.ok(existsSync(file));
      second.close();
      assert.ok(!existsSync(file));
      assert.throws(() => open({ name, mustExist: true }), fails('ERR_HOLDFAST_NOT_FOUND'));
      assert.equal(open({ name }).size(), 0);
    });

    it('a queue whose last user was killed is gone', async () => {
      const name = freshName();
      const actor = await sharedActor('process', 2);
      const remote = await actor.make('Queue', { name });
      await remote.call('put', 'item');
      await actor.kill();
      assert.throws(() => open({ name, mustExist: true }), fails('ERR_HOLDFAST_NOT_FOUND'));
      const queue = open({ name, maxSize: 3 });
      assert.equal(queue.size(), 0);
    });

    it('outlives each user as long as another has it open', async () => {
      const name = freshName();
      const remote = await (await sharedActor('process')).make('Queue', { name });
      const queue = open({ name });
      queue.tryPut('from the first user');
      queue.close();
      assert.equal(await remote.call('get'), 'from the first user');
    });

    it('persistent: keeps items, order, end and limits when all users are gone', async () => {
      const name = freshName();
      const options = { name, persistent: true, maxSize: 100, maxBytes: 1 << 20 };
      const queue = open<unknown>(options);
      const items = [1, 'two', { three: 3 }, Buffer.alloc(200_000, 4)];
      await queue.putMany(items);
      queue.end();
      queue.close();
      const entry = list().find((found) => found.name === name);
      assert.deepEqual(entry, { kind: 'Queue', name, persistent: true, inUse: false });

      // A new process finds it as it was.
      const actor = await sharedActor('process');
      const remote = await actor.make('Queue', { name, mustExist: true });
      assert.equal(await remote.call('size'), 4);
      assert.equal(await remote.call('get'), 1);
      await actor.reset();

      assert.throws(() => open({ name, maxSize: 99 }), incompatible);
      const again = open<unknown>({ name, mustExist: true });
      assert.deepEqual(again.tryGetMany(10), items.slice(1));
      assert.throws(() => again.tryGet(), fails('ERR_HOLDFAST_ENDED'));
      again.close();
      unlink('Queue', name);
      assert.ok(!list().some((found) => found.name === name));
    });

    it('persistent: keeps its items when its only user is killed', async () => {
      const name = freshName();
      const actor = await sharedActor('process', 3);
      const remote = await actor.make('Queue', { name, persistent: true });
      await remote.call('putMany', ['a', 'b']);
      await actor.kill();
      const queue = open({ name, persistent: true, mustExist: true });
      assert.deepEqual(queue.tryGetMany(5), ['a', 'b']);
    });

    it('unlink(): its users go on, and the next open makes a new queue', async () => {
      const name = freshName();
      const queue = open({ name });
      const remote = await (await sharedActor('process')).make('Queue', { name });
      queue.unlink();
      assert.throws(() => queue.unlink(), fails('ERR_HOLDFAST_NOT_FOUND'));
      const fresh = open({ name });
      await remote.call('put', 'old one');
      assert.equal(fresh.size(), 0);
      assert.equal(await queue.get(), 'old one');
    });
  });

  describe('handles', () => {
    for (const place of places) {
      it(`attach() of a handle that went through JSON, in a ${place}`, async () => {
        const queue = open<unknown>({ maxSize: 7 });
        const handle: Handle<'Queue'> = JSON.parse(JSON.stringify(queue));
        assert.deepEqual({ ...handle }, { holdfast: 'Queue', name: queue.name });
        const remote = await (await sharedActor(place)).attach(handle);
        await remote.call('put', { through: place });
        assert.deepEqual(await queue.get(), { through: place });
        assert.equal((await remote.call<{ maxSize: number }>('inspect')).maxSize, 7);
      });
    }
    it('attach() when the queue is gone is NotFoundError', () => {
      const queue = open();
      const handle = queue.toJSON();
      queue.close();
      assert.throws(() => attach(handle), fails('ERR_HOLDFAST_NOT_FOUND'));
    });
    it('attach() takes json and buffer codecs as they are', () => {
      for (const codec of ['json', 'buffer'] as const) {
        const queue = open<Uint8Array>({ codec: codec as 'buffer' });
        const other = attach(queue.toJSON());
        other.tryPut(Buffer.from('x'));
        assert.ok(queue.tryGet());
        other.close();
      }
    });
    it('attach() of a queue with a codec of its own is IncompatibleError, and leaves it usable', () => {
      const codec = { encode: (item: string) => Buffer.from(item), decode: String };
      const queue = open<string>({ codec });
      assert.throws(() => attach(queue.toJSON()), incompatible);
      queue.tryPut('x');
      assert.equal(queue.tryGet(), 'x');
    });
  });

  describe('inspect()', () => {
    it('shows limits, contents and counters', async () => {
      const queue = open<unknown>({ name: freshName(), maxSize: 3, maxBytes: 100_000 });
      const state = () => queue.inspect();
      const base = {
        kind: 'Queue',
        name: queue.name,
        size: 0,
        bytes: 0,
        capacity: 65_536,
        maxSize: 3,
        maxBytes: 100_000,
        ended: false,
        getters: 0,
        putters: 0,
        puts: 0,
        gets: 0,
        abandonments: 0,
      };
      assert.deepEqual(state(), base);
      queue.tryPut(Buffer.alloc(9)); // 24 for its head, 9 rounded up to 16
      assert.deepEqual(state(), { ...base, size: 1, bytes: 40, puts: 1 });
      await queue.putMany([true, false]); // a head each
      assert.deepEqual(state(), { ...base, size: 3, bytes: 88, puts: 3 });
      assert.equal(queue.tryPut(1), false);
      assert.equal(state().puts, 3);
      const remote = await (await sharedActor('process')).attach(queue.toJSON());
      const pending = remote.start('put', 'waits');
      await pending.started;
      assert.equal(state().putters, 1);
      queue.tryGet();
      await pending;
      assert.deepEqual(
        { puts: state().puts, gets: state().gets, putters: state().putters },
        { puts: 4, gets: 1, putters: 0 },
      );
      assert.deepEqual(await remote.call('inspect'), state());
      queue.tryGetMany(10);
      queue.end();
      assert.deepEqual(state(), { ...base, ended: true, puts: 4, gets: 4 });
    });

    it('counts waits in all threads and processes', async () => {
      const queue = open({ maxSize: 1 });
      const waits = [];
      for (const place of places) {
        const remote = await (await sharedActor(place)).attach(queue.toJSON());
        for (const n of [1, 2]) {
          const call = remote.start('get', { timeout: 10_000 + n });
          await call.started;
          waits.push(call);
        }
      }
      // An entry of the wait set says how many waits the thread had when the entry was made or last
      // renewed.
      assert.ok(queue.inspect().getters >= 3 && queue.inspect().getters <= 6);
      for (let i = 0; i < waits.length; i++) await queue.put(i);
      const got = await Promise.all(waits);
      assert.deepEqual(got.sort(), [0, 1, 2, 3, 4, 5]);
      assert.equal(queue.inspect().getters, 0);
    });

    it('capacity is what is stored', () => {
      const queue = open<Buffer>({ maxBytes: 1 << 20 });
      assert.equal(bytesStored(queue), 4096 + 65_536);
      queue.tryPut(Buffer.alloc(300_000));
      assert.equal(queue.inspect().capacity, 1 << 19);
      assert.equal(bytesStored(queue), 4096 + (1 << 19));
    });
  });

  it('a wait with timeout 0 tries once', async () => {
    const queue = open<number>({ maxSize: 1 });
    assert.throws(() => queue.getSync({ timeout: 0 }), timedOut);
    await assert.rejects(queue.get({ timeout: 0 }), timedOut);
    await queue.put(1, { timeout: 0 });
    await assert.rejects(queue.put(2, { timeout: 0 }), timedOut);
    assert.throws(() => queue.putSync(2, { timeout: 0 }), timedOut);
    assert.equal(await queue.get({ timeout: 0 }), 1);
    assert.equal(queue.size(), 0);
  });

  it('two copies of the modules over one addon: each gets its own items', async () => {
    const program = new Program('twice.mjs');
    const items = [{ longer: 'than the next one' }, null, [1, { a: 2 }], null];
    const line = await program.line('got ');
    assert.deepEqual(JSON.parse(line.slice('got '.length)), [...items, ...items]);
    await program.end();
  });
});
