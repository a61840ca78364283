// Values that the codec 'structured' has to bring through a queue as structured clone does.
export const cyclic: Record<string, unknown> = { name: 'cyclic' };
cyclic['self'] = cyclic;
cyclic['list'] = [cyclic, { up: cyclic }];
export const mapOfItself = new Map<unknown, unknown>();
mapOfItself.set(mapOfItself, new Set([mapOfItself]));
export const twice = { twice: true };

const resizable = new (
  ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer
)(8, { maxByteLength: 16 });

export const scalars: Record<string, unknown> = {
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

export const objects: Record<string, unknown> = {
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
  'minus zero in an array': [-0],
  'minus zero in an object': { zero: -0 },
  'a lone surrogate in an array': ['\ud800'],
  'a lone surrogate in a longer string of an object': { text: `${'x'.repeat(100)}\udc00` },
  'a lone surrogate in a key': { 'a\ud800': 1 },
  'a sparse array': [1, , 3], // oxlint-disable-line no-sparse-arrays
  'an array that ends with a hole': Object.assign([1], { length: 3 }),
  'an array with names, as many as it has holes': Object.assign([1, , 3], { name: 2 }), // oxlint-disable-line no-sparse-arrays
  'what match() returns': /(?<letter>b)/.exec('abc'),
  'more than 32 objects, and one of them again': Array.from({ length: 100 }, (_, i) =>
    i < 90 ? { i } : cyclic,
  ),
  'a Number object': { boxed: Object(3) },
  'a String object': { boxed: Object('s') },
  'a Boolean object': { boxed: Object(false) },
  'a BigInt object': { boxed: Object(5n) },
  'a Number object that is -0': { boxed: Object(-0) },
  'the same object in two places': [twice, twice, new Map([[twice, twice]])],
  'an object without a prototype': Object.assign(Object.create(null), { a: 1 }),
  'keys of Object.prototype': { toString: 1, constructor: { name: 'x' }, hasOwnProperty: null },
  'a resizable ArrayBuffer': resizable,
  'two views of one ArrayBuffer': [new Uint16Array(resizable, 2, 1), new DataView(resizable, 1, 4)],
  'an own key __proto__': JSON.parse('{"__proto__":{"x":1}}'),
};
