// What goes into a queue comes out of it the same, or is refused at put(): with every codec.
import { deserialize, serialize } from 'node:v8';
import assert from 'node:assert/strict';
import { openSync, closeSync, writeSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type CodecChoice, DecodeError, type Queue } from 'holdfast';
import { codecs } from '../../programs/queue-agent.mjs';
import {
  agentIn,
  cannotEncode,
  fileOf,
  headerBytes,
  incompatible,
  newName,
  open,
  random,
  useQueues,
} from '../../support/queue.js';

const { reversed, picky } = codecs as unknown as Record<string, CodecChoice<string> & object> as {
  reversed: CodecChoice<string>;
  picky: CodecChoice<string>;
};

function through<T>(queue: Queue<T>, item: T): T {
  assert.equal(queue.tryPut(item), true);
  const got = queue.tryGet();
  assert.equal(queue.size(), 0);
  return got as T;
}

const tagOf = (value: unknown) => Object.prototype.toString.call(value);

/** Equal, -0 and kinds of objects told apart. */
function same(got: unknown, wanted: unknown): void {
  assert.equal(tagOf(got), tagOf(wanted));
  if (typeof wanted !== 'object') return void assert.ok(Object.is(got, wanted));
  assert.deepStrictEqual(got, wanted);
}

const cyclic: Record<string, unknown> = { name: 'cyclic' };
cyclic['self'] = cyclic;
cyclic['list'] = [cyclic, { up: cyclic }];
const mapOfItself = new Map<unknown, unknown>();
mapOfItself.set(mapOfItself, new Set([mapOfItself]));
const twice = { twice: true };

const scalars: Record<string, unknown> = {
  'an empty string': '',
  ASCII: 'plain',
  'UTF-8 of two to four bytes': 'é€😀',
  NUL: 'a\0b',
  'a lone high surrogate': '\ud800',
  'a lone low surrogate in the middle': 'a\udc00b',
  'surrogates in the wrong order': '\udc00\ud800',
  'a lone surrogate in a long string': `${'x'.repeat(100_000)}\ud800${'é'.repeat(99)}`,
  'a string just below the inline buffer of the addon': 'y'.repeat(2043),
  'a string just at the inline buffer of the addon': 'y'.repeat(2044),
  'a string just above the inline buffer of the addon': 'y'.repeat(2048),
  'two-byte characters over the inline buffer': 'é'.repeat(1023),
  'four-byte characters over the inline buffer': '😀'.repeat(512),
  'a string of a megabyte': 'z'.repeat(1 << 20),
  zero: 0,
  'minus zero': -0,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  'the least number': 5e-324,
  'the largest number': Number.MAX_VALUE,
  'a safe integer': Number.MAX_SAFE_INTEGER,
  true: true,
  false: false,
  null: null,
  'an empty Buffer': Buffer.alloc(0),
  'a Buffer': Buffer.from([0, 255, 1, 254]),
  'a part of a Buffer': Buffer.from('abcdef').subarray(2, 4),
  'a BigInt': 5n,
  'a BigInt of 64 bits': 2n ** 64n - 1n,
  'the least BigInt of 64 bits': -(2n ** 63n),
  'a BigInt of 200 bits': 2n ** 200n + 1n,
  'a negative BigInt of 200 bits': -(2n ** 200n) - 1n,
};

const objects: Record<string, unknown> = {
  'an empty object': {},
  'an empty array': [],
  'nested objects and arrays': { a: [{ b: [[], {}, null, true, 'x'] }] },
  undefined: { a: undefined, b: [undefined, 1] },
  'numbers of all sizes': [0, 1, -1, 127, 128, -32, -33, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32],
  'more numbers': [-(2 ** 31), 2 ** 53, -(2 ** 53), 0.1, 1e300, 5e-324, NaN, Infinity, -Infinity],
  'a Date': new Date(1_700_000_000_123),
  'the earliest Date': new Date(-8.64e15),
  'a RegExp': /a\/b|\n/gimsuy,
  'a Map': new Map<unknown, unknown>([
    ['a', 1],
    [{ key: 1 }, new Map()],
    [Number.NaN, null],
  ]),
  'a Set': new Set<unknown>([1, '1', { one: 1 }, new Set()]),
  'an ArrayBuffer': new Uint8Array([1, 2, 3]).buffer,
  'a DataView': new DataView(new Uint8Array([1, 2, 3, 4]).buffer),
  'a Uint8Array': [new Uint16Array([1]), Buffer.from('in an array')],
  'an Int8Array': new Int8Array([-1, 1]),
  'a Uint8ClampedArray': new Uint8ClampedArray([0, 255]),
  'an Int16Array': new Int16Array([-300, 300]),
  'a Uint16Array': new Uint16Array([1, 65535, 3]),
  'an Int32Array': new Int32Array([-1, 2 ** 31 - 1]),
  'a Uint32Array': new Uint32Array([2 ** 32 - 1]),
  'a Float32Array': new Float32Array([1.5, -0]),
  'a Float64Array': new Float64Array([0.1, -0, Infinity]),
  'a BigInt64Array': new BigInt64Array([-1n, 2n ** 62n]),
  'a BigUint64Array': new BigUint64Array([2n ** 64n - 1n]),
  'a part of a typed array': new Float64Array(new Float64Array([1, 2, 3]).buffer, 8, 1),
  'empty typed arrays': [new ArrayBuffer(0), new Uint32Array(0), Buffer.alloc(0)],
  BigInts: [0n, -1n, 2n ** 63n, { big: 2n ** 100n }],
  'an object that holds itself': cyclic,
  'a Map that holds itself': mapOfItself,
  'keys that look like numbers, and an empty one': { 1: 'a', b: 2, '': 3 },
  'a key of 300 characters': { ['k'.repeat(300)]: 1 },
  '2000 keys': Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key${i}`, i])),
  'strings of all sizes': [0, 1, 31, 32, 255, 256, 65535, 65536].map((n) => 'é'.repeat(n)),
  'a depth of 500': JSON.parse('['.repeat(500) + ']'.repeat(500)),
};

// What the documentation names as not kept, and what to do about it.
const limits: Record<string, unknown> = {
  'minus zero in an array': [-0],
  'minus zero in an object': { zero: -0 },
  'a lone surrogate in an array': ['\ud800'],
  'a lone surrogate in a longer string of an object': { text: `${'x'.repeat(100)}\udc00` },
  'a lone surrogate in a key': { 'a\ud800': 1 },
  'a sparse array': [1, , 3], // oxlint-disable-line no-sparse-arrays
  'a Number object': { boxed: Object(3) },
  'a String object': { boxed: Object('s') },
  'a Boolean object': { boxed: Object(false) },
  'a BigInt object': { boxed: Object(5n) },
  'an own key __proto__': JSON.parse('{"__proto__":{"x":1}}'),
};

describe('Queue: codecs', () => {
  useQueues();

  describe("'structured'", () => {
    for (const [what, value] of Object.entries(scalars)) {
      it(`keeps ${what}`, () => same(through(open(), value), value));
    }

    for (const [what, value] of Object.entries(objects)) {
      it(`keeps, inside an item, ${what}`, () => same(through(open(), value), value));
    }

    const exact = { codec: { encode: serialize, decode: deserialize } };
    for (const [what, value] of Object.entries(limits)) {
      it(`does not promise, but v8.serialize as a codec keeps, ${what}`, () => {
        const queue = open(exact);
        same(through(queue, value), value);
      });
    }

    it('keeps an invalid Date', () => {
      const got = through(open<Date>(), new Date(Number.NaN));
      assert.ok(got instanceof Date);
      assert.ok(Number.isNaN(got.getTime()));
    });

    it('keeps identity: what is twice in an item is one object when it arrives', () => {
      const got = through(open<unknown[]>(), [twice, twice, { twice }]);
      assert.equal(got[0], got[1]);
      assert.equal((got[2] as { twice: unknown }).twice, got[0]);
    });

    for (const Class of [Error, TypeError, RangeError, SyntaxError, URIError, EvalError]) {
      it(`keeps ${Class.name}, with its message`, () => {
        const got = through(open<Error>(), new Class('what went wrong'));
        assert.ok(got instanceof Class);
        assert.equal(got.name, Class.name);
        assert.equal(got.message, 'what went wrong');
      });
    }

    it('keeps the cause of an Error', () => {
      const got = through(open<Error>(), new Error('outer', { cause: new RangeError('inner') }));
      assert.ok(got.cause instanceof RangeError);
      assert.equal(got.cause.message, 'inner');
    });

    it('does not promise, but v8.serialize as a codec keeps, an AggregateError', () => {
      const item = new AggregateError([new Error('one')], 'together');
      const got = through(open<Error>({ codec: { encode: serialize, decode: deserialize } }), item);
      assert.equal(got.message, 'together');
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
      const agent = await agentIn('process');
      const remote = await agent.attach(queue.toJSON());
      const back = open();
      const remoteBack = await agent.attach(back.toJSON());
      for (const value of Object.values(scalars)) {
        await queue.put(value);
        const seen = await remote.call('getSync', { timeout: 5000 });
        // The channel between test and agent is not under test: what it made of the item goes back.
        await remoteBack.call('putSync', seen);
        same(back.getSync({ timeout: 5000 }), value);
      }
    });

    it('can be read by whoever opens the queue in the middle, whatever shapes went before', async () => {
      // Shapes of objects are described inside each item: a consumer that has not seen the earlier
      // items must not miss anything.
      const queue = open<Record<string, number>>();
      const shape = (i: number) => ({ [`a${i % 70}`]: i, [`b${i % 9}`]: i, same: i });
      for (let i = 0; i < 3000; i++) queue.tryPut(shape(i));
      for (let i = 0; i < 1500; i++) assert.deepEqual(queue.tryGet(), shape(i));
      const late = open<Record<string, number>>({ name: queue.name });
      for (let i = 1500; i < 2000; i++) assert.deepEqual(late.tryGet(), shape(i));
      const remote = await (await agentIn('process')).attach(queue.toJSON());
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
      'an item whose getter puts another': {
        get trap(): boolean {
          return open().tryPut({});
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

    it('throws out what a getter of the item throws, as the cause of EncodeError', () => {
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
    it('does what JSON does: toJSON(), undefined left out, NaN is null', () => {
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
    it('hands out memory of its own: the next get does not change it', () => {
      const queue = open<Uint8Array>({ codec: 'buffer' });
      queue.tryPut(Buffer.from('first'));
      queue.tryPut(Buffer.from('other'));
      const first = queue.tryGet()!;
      queue.tryGet();
      assert.equal(String(first), 'first');
    });
  });

  describe('a codec of its own', () => {
    it('encodes and decodes, here and in another process', async () => {
      const queue = open<string>({ codec: reversed });
      assert.equal(through(queue, 'abc'), 'abc');
      assert.equal(through(queue, ''), '');
      const remote = await (await agentIn('process')).open({ name: queue.name, codec: 'reversed' });
      await queue.put('from here');
      assert.equal(await remote.call('get'), 'from here');
      await remote.call('put', 'from there');
      assert.equal(await queue.get(), 'from there');
    });

    it('refuses an encode() that returns no bytes, and passes on what encode() throws', () => {
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

    it('an item that decode() makes undefined of is not lost without a word', async () => {
      // "undefined if there is none now": an item that reads as undefined cannot be told from none.
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

    it('a get whose decode() aborts it has the item or has left it, and others go on', async () => {
      // Caller's code inside serve(): decode() runs between the take and the settling of the promise.
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
          const name = newName();
          const queue = open<never>({ name, codec: codec as never });
          if (made === wanted) return void open<never>({ name, codec: other as never });
          assert.throws(() => open({ name, codec: other as never }), incompatible);
          queue.tryPut((made === 'buffer' ? Buffer.from('x') : 'x') as never);
          assert.equal(String(queue.tryGet()), 'x');
        });
      }
      it(`made with ${made}, opened with none`, async () => {
        const name = newName();
        open<never>({ name, codec: codec as never });
        const elsewhere = (await agentIn('process')).open({ name });
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

    it('is out of the queue, in DecodeError, and the queue goes on', async () => {
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

    it('rejects the get that waited for it, and only that one', async () => {
      const queue = open<string>({ codec: picky });
      const gets = [queue.get({ timeout: 5000 }), queue.get({ timeout: 5000 })];
      const outcome = Promise.allSettled(gets);
      const remote = await (await agentIn('process')).open({ name: queue.name, codec: 'picky' });
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
      it(`${how}() with bad items in the middle loses none: all that came is in the error`, async () => {
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
      it(`what was damaged in shared memory, ${codec}: DecodeError, and the queue goes on`, () => {
        const queue = open<unknown>({ codec });
        queue.tryPut({ some: 'object', of: ['some', 'length'] });
        queue.tryPut({ next: 1 });
        // Behind the record's head of 8 bytes: the item's own bytes.
        const file = openSync(fileOf(queue), 'r+');
        const junk = Buffer.from([0xc1, 0xc1, 0xc1, 0xc1]);
        writeSync(file, junk, 0, junk.length, headerBytes + 8);
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
      const file = openSync(fileOf(queue), 'r+');
      writeSync(file, Buffer.from([3, 0, 0, 0]), 0, 4, headerBytes + 4);
      closeSync(file);
      assert.throws(
        () => queue.tryGet(),
        (error) => error instanceof DecodeError && error.bytes.toString() === 'abc',
      );
    });
  });
});
