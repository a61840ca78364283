// The bytes of a value: what the codec 'structured' makes of an item.
//
//   value  = flags (one byte), entry
//   entry  = tag (one byte), and what follows a tag of that name below
//   length = one byte; or 255 and four bytes, for 255 and more
//   text   = an entry that is a string
//
// Every object has a number: objects are counted in the order of their tags. A later occurrence of
// the same object is a reference to its number, so that cycles and identity arrive.
//
// All numbers are little-endian.

/** Flags of a value. */
export const hasReferences = 1;

/** What an entry is. After each: what follows it. */
export const tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** 4 bytes, signed. */
  int32: 4,
  /** 8 bytes. */
  double: 5,
  /** The text of its hexadecimal digits. */
  bigint: 6,
  negativeBigint: 7,
  /** A length, and bytes. */
  utf8: 8,
  /** For text with lone surrogates: a length in bytes, and UTF-16. */
  utf16: 9,
  /** A length: the number of the object. */
  reference: 10,
  /** A length, and so many entries. */
  array: 11,
  /** For an array with holes or names: its length, how many keys; for each a text and an entry. */
  sparseArray: 12,
  /** How many keys; for each a text and an entry. */
  object: 13,
  /** 8 bytes: the time as a double. */
  date: 14,
  /** How many; for each two entries. */
  map: 15,
  /** How many, and so many entries. */
  set: 16,
  /** Two texts: source and flags. */
  regexp: 17,
  /** The index of the class in `errorClasses`, and four entries; `absent` for what it lacks. */
  error: 18,
  /** Only in an error. */
  absent: 19,
  /** Three entries: name, message and stack. */
  domException: 20,
  /** A length, and bytes. */
  arrayBuffer: 21,
  /** The same, after the length that it may have at most. */
  resizableArrayBuffer: 22,
  /** The index of the class in `viewClasses`, offset, length; the entry of its ArrayBuffer. */
  view: 23,
  /** A length, and bytes. */
  buffer: 24,
  /** The entry of the primitive value. */
  boxed: 25,
  /** The entry of a handle, which the reader opens. */
  traveller: 26,
  /** How many words (one byte), a block of so many words (shape.ts); for each name an entry. */
  shape: 27,
  /**
   * An array that begins with numbers, as three words: its length, how many numbers have 4 bytes,
   * how many after those have 8 bytes. Then the numbers, and entries for the rest.
   */
  numbers: 28,
  /** As `view`, without a length: it follows that of its ArrayBuffer. */
  followingView: 29,
  /** From here to 127: the integers from 0 to 63. */
  smallInteger: 64,
  /** From here to 255: ASCII of so many characters, from 0 to 127. */
  ascii: 128,
} as const;

export const smallIntegers = tag.ascii - tag.smallInteger;
export const shortestText = 128; // with a tag of its own
/** A shorter array has no tag `numbers`. */
export const shortestNumbers = 16;

/** Classes that structured clone keeps, and AggregateError. The rest arrive as Error. */
export const errorClasses = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
] as const;

/** Classes of views. A new one belongs at the end. */
export const viewClasses = [
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;

/** The class as it was when this module was loaded: fake timers put another one in its place. */
export const { Date: BuiltInDate } = globalThis;

/** Sets a property. An assignment would call a setter of the prototype, as that of `__proto__`. */
export function define(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable, configurable: true });
}
