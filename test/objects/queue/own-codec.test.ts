// A codec of the program; the options that all users must agree on; items that cannot be read.
import assert from 'node:assert/strict';
import { openSync, closeSync, writeSync } from 'node:fs';
import { DecodeError, type Queue } from 'holdfast';
import { freshName, objectFile, sharedActor } from '../../support/index.js';
import { cannotEncode, headerBytes, incompatible, open, recordHead } from '../../support/queue.js';
import { through, reversed, picky } from './codec-helpers.js';

describe('Queue: codecs', () => {
  describe('a codec of its own', () => {
    it('encodes and decodes, here and in another process', async () => {
      const queue = open<string>({ codec: reversed });
      assert.equal(through(queue, 'abc'), 'abc');
      assert.equal(through(queue, ''), '');
      const remote = await (await sharedActor('process')).make('Queue', {
        name: queue.name,
        codec: 'reversed',
      });
      await queue.put('from here');
      assert.equal(await remote.call('get'), 'from here');
      await remote.call('put', 'from there');
      assert.equal(await queue.get(), 'from there');
    });

    it('refuses an encode() that returns no bytes; throws what encode() throws', () => {
      const own = { encode: (item: unknown) => item as Uint8Array, decode: String };
      const queue = open<unknown>({ codec: own });
      assert.throws(() => queue.tryPut('text'), cannotEncode);
      const thrower = open<unknown>({
        codec: {
          encode() {
            throw new RangeError('not this');
          },
          decode: String,
        },
      });
      assert.throws(() => thrower.tryPut(1), /not this/);
      assert.equal(queue.size() + thrower.size(), 0);
    });

    for (const codec of ['', 'custom', 'toString', 1, null, {}, { encode() {} }, [], true]) {
      it(`TypeError for ${JSON.stringify(codec)}`, () => {
        assert.throws(() => open({ codec: codec as never }), TypeError);
      });
    }

    it('an item that decode() turns into undefined is a DecodeError', async () => {
      // undefined means that there is no item. So an item that decodes to undefined would look like
      // no item.
      let broken = true;
      const codec = {
        encode: (item: string) => Buffer.from(item),
        decode: (bytes: Buffer) => (broken ? undefined : String(bytes)) as string,
      };
      const queue = open<string>({ codec });
      queue.tryPut('one');
      queue.tryPut('two');
      const error = await queue.get({ timeout: 300 }).catch((reason: unknown) => reason);
      broken = false;
      assert.ok(error instanceof DecodeError, `get() ended with ${String(error)}`);
      assert.equal(String(error.bytes), 'one');
      assert.equal(queue.tryGet(), 'two');
    });

    it('a get that is aborted by its decode() has the item or leaves it, and others go on', async () => {
      // decode() is code of the caller. It runs inside serve(), after the take and before the
      // promise settles.
      const controller = new AbortController();
      const codec = {
        encode: (item: string) => Buffer.from(item),
        decode(bytes: Buffer) {
          controller.abort();
          return String(bytes);
        },
      };
      const queue = open<string>({ codec });
      const settle = (promise: Promise<string>) => promise.catch(() => undefined);
      const gets = [
        settle(queue.get({ signal: controller.signal, timeout: 1000 })),
        settle(queue.get({ timeout: 1000 })),
        settle(queue.get({ timeout: 1000 })),
      ];
      queue.tryPut('one');
      queue.tryPut('two');
      const got = (await Promise.all(gets)).filter((item) => item !== undefined);
      for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet()) got.push(item);
      assert.deepEqual(got, ['one', 'two']);
    });
  });

  describe('all users agree on it', () => {
    const choices = { structured: 'structured', json: 'json', buffer: 'buffer', own: reversed };
    for (const [made, codec] of Object.entries(choices)) {
      for (const [wanted, other] of Object.entries(choices)) {
        it(`made with ${made}, opened with ${wanted}`, () => {
          const name = freshName();
          const queue = open<never>({ name, codec: codec as never });
          if (made === wanted) return void open<never>({ name, codec: other as never });
          assert.throws(() => open({ name, codec: other as never }), incompatible);
          queue.tryPut((made === 'buffer' ? Buffer.from('x') : 'x') as never);
          assert.equal(String(queue.tryGet()), 'x');
        });
      }
      it(`made with ${made}, opened with none`, async () => {
        const name = freshName();
        open<never>({ name, codec: codec as never });
        const elsewhere = (await sharedActor('process')).make('Queue', { name });
        if (made === 'own') {
          assert.throws(() => open({ name }), incompatible);
          await assert.rejects(elsewhere, incompatible);
        } else {
          const other = open<never>({ name });
          other.tryPut((made === 'buffer' ? Buffer.from('x') : 'x') as never);
          assert.equal(String(other.tryGet()), 'x');
          await elsewhere;
        }
      });
    }
  });

  describe('an item that cannot be read', () => {
    const decodeError = (bytes: string) => (error: unknown) => {
      assert.ok(error instanceof DecodeError);
      assert.equal(error.code, 'ERR_HOLDFAST_DECODE');
      assert.ok(Buffer.isBuffer(error.bytes));
      assert.equal(String(error.bytes), bytes);
      assert.ok(error.cause instanceof SyntaxError);
      assert.equal(error.kind, 'Queue');
      return true;
    };

    it('leaves the queue as a DecodeError, and the queue goes on', async () => {
      const queue = open<string>({ codec: picky });
      for (const item of ['bad 1', 'good 1', 'bad 2', 'bad 3', 'good 2']) queue.tryPut(item);
      assert.throws(() => queue.tryGet(), decodeError('bad 1'));
      assert.equal(queue.size(), 4);
      assert.equal(queue.tryGet(), 'good 1');
      assert.throws(() => queue.getSync(), decodeError('bad 2'));
      await assert.rejects(queue.get(), decodeError('bad 3'));
      assert.equal(await queue.get(), 'good 2');
      assert.equal(queue.size(), 0);
    });

    it('rejects only the get that waited for it', async () => {
      const queue = open<string>({ codec: picky });
      const gets = [queue.get({ timeout: 5000 }), queue.get({ timeout: 5000 })];
      const outcome = Promise.allSettled(gets);
      const remote = await (await sharedActor('process')).make('Queue', {
        name: queue.name,
        codec: 'picky',
      });
      await remote.call('put', 'bad item');
      await remote.call('put', 'good item');
      const [first, second] = await outcome;
      assert.ok(decodeError('bad item')((first as PromiseRejectedResult).reason));
      assert.deepEqual(second, { status: 'fulfilled', value: 'good item' });
    });

    for (const [how, take] of Object.entries({
      tryGetMany: async (queue: Queue<string>) => queue.tryGetMany(10),
      getManySync: async (queue: Queue<string>) => queue.getManySync(10),
      getMany: (queue: Queue<string>) => queue.getMany(10),
    })) {
      it(`${how}() with bad items in the middle loses none: the error has all items`, async () => {
        const queue = open<string>({ codec: picky });
        await queue.putMany(['a', 'bad 1', 'b', 'bad 2', 'c']);
        const error = await take(queue).then(
          () => assert.fail('it resolved'),
          (reason: unknown) => reason as DecodeError,
        );
        assert.ok(decodeError('bad 1')(error));
        assert.deepEqual(error.items, ['a', 'b', 'c']);
        assert.equal(error.others.length, 1);
        assert.ok(decodeError('bad 2')(error.others[0]));
        assert.equal(queue.size(), 0);
        assert.equal(queue.inspect().gets, 5);
      });
    }

    it('ends an iteration, and the rest stays', async () => {
      const queue = open<string>({ codec: picky });
      await queue.putMany(['a', 'bad', 'b']);
      const seen: string[] = [];
      await assert.rejects(async () => {
        for await (const item of queue) seen.push(item);
      }, decodeError('bad'));
      assert.deepEqual(seen, ['a']);
      assert.equal(queue.tryGet(), 'b');
    });

    for (const codec of ['structured', 'json'] as const) {
      it(`bytes that were damaged in shared memory, ${codec}: DecodeError, and the queue goes on`, () => {
        const queue = open<unknown>({ codec });
        queue.tryPut({ some: 'object', of: ['some', 'length'] });
        queue.tryPut({ next: 1 });
        // The bytes of the item stand behind the head of its record, which has 24 bytes.
        const file = openSync(objectFile(queue.name), 'r+');
        const junk = Buffer.from([0xc1, 0xc1, 0xc1, 0xc1]);
        writeSync(file, junk, 0, junk.length, headerBytes + recordHead);
        closeSync(file);
        assert.throws(
          () => queue.tryGet(),
          (error) => error instanceof DecodeError && error.bytes.length > 20,
        );
        assert.deepEqual(queue.tryGet(), { next: 1 });
      });
    }

    it('a text that has become a number of too few bytes: DecodeError, with its bytes', () => {
      const queue = open<unknown>();
      queue.tryPut('abc');
      const file = openSync(objectFile(queue.name), 'r+');
      writeSync(file, Buffer.from([3, 0, 0, 0]), 0, 4, headerBytes + 4);
      closeSync(file);
      assert.throws(
        () => queue.tryGet(),
        (error) => error instanceof DecodeError && error.bytes.toString() === 'abc',
      );
    });
  });
});
