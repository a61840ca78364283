// Objects with the same names as objects before them (src/records/shape.ts), and arrays of numbers:
// both have short ways, and must arrive as they would by the long one.
import assert from 'node:assert/strict';
import { random } from '../../support/index.js';
import { open } from '../../support/queue.js';
import { Scratch } from '../../../lib/records/batch.js';
import { ValueReader } from '../../../lib/records/value-reader.js';
import { ValueWriter } from '../../../lib/records/value-writer.js';
import { same, through } from './codec-helpers.js';

/** After so many objects with the same names the reader has a function that makes them. */
const often = 120;

describe("Queue: codec 'structured', the short ways", () => {
  const objects: Record<string, () => object> = {
    'plain names': () => ({ id: 1, text: 'a text', list: [1, 2, 3] }),
    'names of Object.prototype': () => ({ toString: 1, constructor: null, valueOf: 'x' }),
    'an own name __proto__': () => JSON.parse('{"a":1,"__proto__":{"x":1}}'),
    'names that are no identifiers': () => ({
      '': 1,
      'a b': 2,
      '"': 3,
      '\\': 4,
      '\n': 5,
      '${0}': 6,
    }),
    'names that look like indices': () => ({ 2: 'b', 1: 'a', name: 'c' }),
    'names that are not ASCII': () => ({ é: 1, '\ud800': 2 }),
    'a name of 127 and one of 128 characters': () => ({
      ['k'.repeat(127)]: 1,
      ['k'.repeat(128)]: 2,
    }),
    '32 names': () => Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`n${i}`, i])),
    '33 names': () => Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`n${i}`, i])),
    'names of more than 1020 bytes': () =>
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${'n'.repeat(60)}${i}`, i])),
    'an object of the same names inside': () => ({ id: 1, inner: { id: 2, inner: null } }),
  };
  for (const [what, make] of Object.entries(objects)) {
    it(`brings ${often} objects through: ${what}`, () => {
      const queue = open<object>();
      for (let i = 0; i < often; i++) same(through(queue, make()), structuredClone(make()));
    });
  }

  it('keeps the order of names, also of objects that have the same in another order', () => {
    const queue = open<object>();
    for (let i = 0; i < often; i++) {
      assert.deepEqual(Object.entries(through(queue, { a: 1, b: 2 })), [
        ['a', 1],
        ['b', 2],
      ]);
      assert.deepEqual(Object.entries(through(queue, { b: 2, a: 1 })), [
        ['b', 2],
        ['a', 1],
      ]);
    }
  });

  it('keeps identity and cycles in objects whose names came often', () => {
    const queue = open<{ id: number; up: unknown; twice: unknown[] }>();
    for (let i = 0; i < often; i++) through(queue, { id: i, up: null, twice: [] });
    const item = { id: 1, up: null as unknown, twice: [] as unknown[] };
    item.up = item;
    item.twice.push(item.twice, item);
    const got = through(queue, item);
    assert.equal(got.up, got);
    assert.equal(got.twice[0], got.twice);
    assert.equal(got.twice[1], got);
  });

  it('calls no setter of Object.prototype', () => {
    const queue = open<object>();
    for (let i = 0; i < often; i++) through(queue, { trapped: i });
    Object.defineProperty(Object.prototype, 'trapped', {
      configurable: true,
      set: () => assert.fail('a setter ran'),
    });
    try {
      const got = through(queue, { trapped: 1 });
      assert.deepEqual(Object.entries(got), [['trapped', 1]]);
    } finally {
      delete (Object.prototype as { trapped?: unknown }).trapped;
    }
  });

  it('brings more different names through than a thread remembers', () => {
    const queue = open<object>();
    for (let i = 0; i < 3000; i++) {
      const item = { [`name${i % 1000}`]: i, other: i };
      assert.deepEqual(through(queue, item), item);
    }
  });

  it('works where a program forbids to make code of text', () => {
    const { Function: own } = globalThis;
    const queue = open<object>();
    globalThis.Function = (() => {
      throw new EvalError('forbidden');
    }) as unknown as FunctionConstructor;
    try {
      for (let i = 0; i < often; i++) {
        assert.deepEqual(through(queue, { forbidden: i, text: 'x' }), { forbidden: i, text: 'x' });
      }
    } finally {
      globalThis.Function = own;
    }
  });

  describe('arrays of numbers', () => {
    const long = (item: (i: number) => unknown, length = 40) =>
      Array.from({ length }, (_, i) => item(i));
    const arrays: Record<string, unknown[]> = {
      'of 15 integers': long((i) => i, 15),
      'of 16 integers': long((i) => i, 16),
      'of the integers of 32 bits': long((i) => (i % 2 ? -(2 ** 31) : 2 ** 31 - 1)),
      'of doubles': long((i) => i + 0.5),
      'that begins with integers': long((i) => (i < 20 ? i : i / 7)),
      'of integers with one double': long((i) => (i === 20 ? 2 ** 31 : i)),
      'of -0, NaN and the infinities': long((i) => [-0, Number.NaN, 1 / 0, -1 / 0, 0][i % 5]),
      'that ends otherwise': [
        ...long((i) => i),
        ...long((i) => i / 3),
        'text',
        1,
        { a: 1 },
        undefined,
      ],
      'that begins otherwise': ['text', ...long((i) => i)],
      'with a hole': Object.assign(
        long((i) => i),
        { 50: 1 },
      ),
      'with a name': Object.assign(
        long((i) => i),
        { name: 1 },
      ),
      'with a BigInt': long((i) => (i === 30 ? 5n : i)),
      'of 100,000 integers': long((i) => i, 100_000),
      'of 100,000 doubles': long((i) => i / 3, 100_000),
    };
    for (const [what, array] of Object.entries(arrays)) {
      it(`arrive: one ${what}`, () => {
        const got = through(open<unknown[]>(), array);
        same(got, structuredClone(array));
        assert.ok(got.every((item, i) => typeof item === 'object' || Object.is(item, array[i])));
      });
    }

    it('are numbered as other objects', () => {
      const numbers = long((i) => i);
      const got = through(open<unknown[]>(), [numbers, { numbers }, numbers]);
      assert.equal(got[0], got[2]);
      assert.equal((got[1] as { numbers: unknown }).numbers, got[0]);
    });

    it('are read once, also by a getter that changes their length', () => {
      for (const change of [0, 500]) {
        const numbers = long((i) => i);
        let calls = 0;
        Object.defineProperty(numbers, 20, {
          enumerable: true,
          configurable: true,
          get: () => {
            if (calls++ === 0) numbers.length = change || 21;
            return 'from a getter';
          },
        });
        const got = through(open<unknown[]>(), numbers);
        assert.equal(calls, 1);
        assert.deepEqual([got.length, got[19], got[20]], [40, 19, 'from a getter']);
      }
    });
  });

  it('bytes that no writer wrote throw, or are another value', () => {
    const choose = random('damaged bytes');
    const writer = new ValueWriter('item');
    const reader = new ValueReader();
    const item = [
      { id: 1, text: 'x' },
      { id: 2, text: 'y' },
      Array.from({ length: 20 }, (_, i) => i),
    ];
    const into = new Scratch();
    writer.write(item, into);
    writer.write(item, into);
    const bytes = Buffer.from(writer.bytes.subarray(writer.start, writer.end));
    for (let i = 0; i < 20_000; i++) {
      const damaged = Buffer.from(bytes);
      for (let n = 0; n < 1 + (i % 3); n++) {
        damaged[choose.below(damaged.length)] = choose.below(256);
      }
      try {
        reader.read(damaged, 0, damaged.length - (i % 5));
      } catch (error) {
        const known = error instanceof TypeError || error instanceof RangeError;
        assert.ok(known || error instanceof SyntaxError, String(error));
      }
    }
  });
});
