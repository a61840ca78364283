// With a built-in codec an item comes out of a queue as structured clone or JSON makes it, or
// put() refuses it.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { random, sharedActor } from '../../support/index.js';
import { cannotEncode, open } from '../../support/queue.js';
import { cyclic, twice, scalars, objects } from './codec-values.js';
import { cloned, through, tagOf, same } from './codec-helpers.js';

describe('Queue: codecs', () => {
  describe("'structured'", () => {
    for (const [what, value] of Object.entries(scalars)) {
      it(`keeps ${what}`, () => same(through(open(), value), value));
    }

    for (const [what, value] of Object.entries(objects)) {
      it(`does to ${what} what structuredClone() does`, () => {
        same(through(open(), value), cloned(value));
      });
    }

    it('keeps an array of the largest length, with one item', () => {
      const item = Object.assign([], { 7: 'seven', length: 2 ** 32 - 1 });
      const got = through(open<unknown[]>(), item);
      assert.ok(Array.isArray(got));
      assert.deepEqual([got.length, Object.entries(got)], [2 ** 32 - 1, [['7', 'seven']]]);
    });

    it('keeps an invalid Date', () => {
      const got = through(open<Date>(), new Date(Number.NaN));
      assert.ok(got instanceof Date);
      assert.ok(Number.isNaN(got.getTime()));
    });

    it('keeps identity: an object that is twice in an item arrives as one object', () => {
      const got = through(open<unknown[]>(), [twice, twice, { twice }]);
      assert.equal(got[0], got[1]);
      assert.equal((got[2] as { twice: unknown }).twice, got[0]);
    });

    it('makes plain objects of class instances', () => {
      class Point {
        constructor(
          readonly x: number,
          readonly y: number,
        ) {}
      }
      const got = through(open<object>(), new Point(1, 2));
      assert.equal(Object.getPrototypeOf(got), Object.prototype);
      assert.deepEqual(got, { x: 1, y: 2 });
    });

    it('keeps all of it on the way to another process and back', async () => {
      const queue = open();
      const actor = await sharedActor('process');
      const remote = await actor.attach(queue.toJSON());
      const back = open();
      const remoteBack = await actor.attach(back.toJSON());
      for (const value of Object.values(scalars)) {
        await queue.put(value);
        const seen = await remote.call('getSync', { timeout: 5000 });
        // The channel between test and actor is not tested here. So the item as the actor got it
        // comes back through the same channel.
        await remoteBack.call('putSync', seen);
        same(back.getSync({ timeout: 5000 }), value);
      }
    });

    it('can be read by a process that opens the queue later, after items of any shape', async () => {
      // Each item describes the shapes of its objects, so a consumer that has not seen the earlier
      // items can read it.
      const queue = open<Record<string, number>>();
      const shape = (i: number) => ({ [`a${i % 70}`]: i, [`b${i % 9}`]: i, same: i });
      for (let i = 0; i < 3000; i++) queue.tryPut(shape(i));
      for (let i = 0; i < 1500; i++) assert.deepEqual(queue.tryGet(), shape(i));
      const late = open<Record<string, number>>({ name: queue.name });
      for (let i = 1500; i < 2000; i++) assert.deepEqual(late.tryGet(), shape(i));
      const remote = await (await sharedActor('process')).attach(queue.toJSON());
      const rest = await remote.call<unknown[]>('getMany', 1000);
      assert.deepEqual(
        rest,
        Array.from({ length: 1000 }, (_, i) => shape(2000 + i)),
      );
    });

    it('keeps 2,000 random items as structuredClone does', () => {
      const chance = random('codec fuzz');
      const queue = open();
      let budget = 0;
      const leaf = () =>
        chance.pick([
          () => chance.whole(-(2 ** 40), 2 ** 40),
          () => chance.next() * 1e9,
          () => 'añ€😀'.repeat(chance.whole(0, 40)).slice(0, chance.whole(0, 9) * 5),
          () => null,
          () => undefined,
          () => chance.next() < 0.5,
          () => BigInt(chance.whole(0, 2 ** 40)) ** 3n,
          () => new Date(chance.whole(0, 2 ** 42)),
          () => new Uint8Array(chance.whole(0, 20)).fill(7).map((_, i) => i),
          () => new Float32Array(chance.whole(0, 5)).fill(0.5),
          () => new Error(`error ${chance.whole(0, 9)}`),
          () => /x/g,
        ])();
      const make = (depth: number): unknown => {
        if (depth === 0 || budget-- <= 0) return leaf();
        const many = Array.from({ length: chance.whole(0, 6) }, () => make(depth - 1));
        const key = () => `k${chance.whole(0, 30)}`;
        return chance.pick([
          leaf,
          () => many,
          () => Object.fromEntries(many.map((value) => [key(), value])),
          () => new Map(many.map((value) => [chance.next() < 0.5 ? key() : make(1), value])),
          () => new Set(many),
        ])();
      };
      for (let i = 0; i < 2000; i++) {
        budget = 60;
        const item = { item: make(4) };
        const wanted = structuredClone(item);
        const got = through(queue, item);
        assert.ok(isDeepStrictEqual(got, wanted), `item ${i} of seed ${chance.seed}`);
      }
    });

    const refused: Record<string, unknown> = {
      undefined: undefined,
      'a function': () => 1,
      'a class': class {},
      'a symbol': Symbol('s'),
      'a function in an object': { deep: [{ f() {} }] },
      'a symbol in an array': [Symbol('s')],
      'a function as value of a Map': new Map([['a', () => 1]]),
      'a symbol in a Set': new Set([Symbol('s')]),
      'a symbol in an object': { s: Symbol.iterator },
      ...Object.fromEntries(
        ['a string', 1, {}].map((another) => [
          `an item whose getter puts another, ${typeof another}`,
          {
            get trap(): boolean {
              return open().tryPut(another);
            },
          },
        ]),
      ),
      'an item whose getter puts another as JSON': {
        get trap(): boolean {
          return open({ codec: 'json' }).tryPut({});
        },
      },
    };
    for (const [what, value] of Object.entries(refused)) {
      it(`refuses ${what} with EncodeError, a TypeError, and puts nothing`, async () => {
        const queue = open();
        await assert.rejects(queue.put(value), cannotEncode);
        await assert.rejects(queue.put(value), TypeError);
        assert.throws(() => queue.putSync(value), cannotEncode);
        assert.throws(() => queue.tryPut(value), cannotEncode);
        await assert.rejects(queue.putMany([1, value, 2]), cannotEncode);
        assert.throws(() => queue.putManySync([1, value, 2]), cannotEncode);
        assert.equal(queue.size(), 0);
        assert.equal(queue.inspect().puts, 0);
        assert.equal(through(queue, 'the next one'), 'the next one');
      });
    }

    it('the same for small items with many keys, and for arrays with an iterator of their own', () => {
      const queue = open();
      const many = Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, i]));
      same(through(queue, many), many);
      const list = [new Set([1])];
      Object.defineProperty(list, Symbol.iterator, { value: function* () {} });
      same((through(queue, list) as unknown[])[0], new Set([1]));
    });

    it('a getter may put what is not written into the memory of its item', () => {
      const [queue, other] = [open(), open()];
      const bytes = Buffer.from('bytes');
      const item = {
        before: 'before',
        get trap(): string {
          other.putSync(bytes);
          other.putSync(true);
          other.putManySync(['one', 2]);
          return 'trap';
        },
        after: 'after',
      };
      same(through(queue, item), { before: 'before', trap: 'trap', after: 'after' });
      same(other.tryGetMany(10), [bytes, true, 'one', 2]);
    });

    it('what a getter of the item throws is the cause of the EncodeError', () => {
      const queue = open();
      const item = {
        get trap(): number {
          throw new RangeError('trapped');
        },
      };
      assert.throws(
        () => queue.tryPut(item),
        (error: Error) => error instanceof TypeError && error.cause instanceof RangeError,
      );
      assert.equal(queue.size(), 0);
      same(through(queue, { a: [1] }), { a: [1] });
    });
  });

  describe("'json'", () => {
    const values = [
      '',
      'é\ud800',
      0,
      1.5,
      true,
      null,
      [],
      { a: [1, { b: 'x' }] },
      'x'.repeat(70_000),
    ];
    for (const value of values) {
      it(`keeps ${JSON.stringify(value).slice(0, 20)}`, () => {
        same(through(open<unknown>({ codec: 'json' }), value), value);
      });
    }
    it('works like JSON: toJSON(), undefined left out, NaN is null', () => {
      const queue = open<unknown>({ codec: 'json' });
      const item = { date: new Date(0), none: undefined, list: [Number.NaN, undefined, () => 1] };
      assert.deepEqual(through(queue, item), JSON.parse(JSON.stringify(item)));
    });
    for (const [what, value] of Object.entries({
      undefined: undefined,
      'a function': () => 1,
      'a symbol': Symbol('s'),
      'a BigInt': { big: 1n },
      'a cycle': cyclic,
    })) {
      it(`refuses ${what} and puts nothing`, async () => {
        const queue = open<unknown>({ codec: 'json' });
        await assert.rejects(queue.put(value), cannotEncode);
        assert.throws(() => queue.tryPut(value), cannotEncode);
        assert.throws(() => queue.putSync(value), TypeError);
        assert.equal(queue.size(), 0);
      });
    }
  });

  describe("'buffer'", () => {
    it('keeps Buffers and Uint8Arrays; they arrive as Buffers', () => {
      const queue = open<Uint8Array>({ codec: 'buffer' });
      const bytes = [new Uint8Array([1, 2, 3]), Buffer.alloc(0), new Uint8Array(8).subarray(3, 4)];
      for (const item of bytes) {
        const got = through(queue, item);
        assert.ok(Buffer.isBuffer(got));
        assert.deepEqual([...got], [...item]);
      }
    });
    for (const value of [
      'text',
      1,
      null,
      undefined,
      {},
      [1],
      new Uint16Array(1),
      new ArrayBuffer(1),
    ]) {
      it(`refuses ${tagOf(value)} and puts nothing`, () => {
        const queue = open<Uint8Array>({ codec: 'buffer' });
        assert.throws(() => queue.tryPut(value as Uint8Array), cannotEncode);
        assert.equal(queue.size(), 0);
      });
    }
    it('returns memory of the item’s own: the next get does not change it', () => {
      const queue = open<Uint8Array>({ codec: 'buffer' });
      queue.tryPut(Buffer.from('first'));
      queue.tryPut(Buffer.from('other'));
      const first = queue.tryGet()!;
      queue.tryGet();
      assert.equal(String(first), 'first');
    });
  });
});
