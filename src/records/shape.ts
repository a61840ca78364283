// Shapes: the names of an object's properties, in one block in front of the values.
//
// Most items of a queue are objects with the same few names. The writer copies the block of a shape
// that it knows, and the reader recognizes it by its bytes. So no name is encoded or decoded twice.
//
//   block = how many names (one byte), each name as an entry (ASCII), zeros up to whole words
import { shortestText, tag } from './value-format.js';

/** An object with more properties is no shape: it may be a table, with other names each time. */
const mostKeys = 32;
/** One byte says how many words a block has. */
const mostWords = 255;
/** How many shapes a thread remembers for writing, and how many for reading. */
const slots = 256;
/** After so many objects a function is made that builds the next ones. */
const worthCompiling = 50;
/** Functions are never unmade, so a thread makes no more than this. */
const mostCompiled = 512;

let compiled = 0;

/** Makes an object, whose values it asks for in order. */
export type Builder = (next: () => unknown) => object;

/** The names of one kind of object. */
export class Shape {
  #objects = 0;
  #builder: Builder | undefined;

  constructor(
    readonly keys: readonly string[],
    readonly words: Int32Array,
  ) {}

  /**
   * A function that builds such an object, if there have been many. It is several times as fast as
   * to set properties by name, because the engine knows the names when it compiles the function.
   */
  get builder(): Builder | undefined {
    if (this.#objects < worthCompiling && ++this.#objects === worthCompiling) {
      this.#builder = compile(this.keys);
    }
    return this.#builder;
  }

  hasKeys(keys: readonly string[]): boolean {
    const { length } = keys;
    if (this.keys.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.keys[i] !== keys[i]) return false;
    return true;
  }
}

/** Undefined where the program forbids to make code of text, and for a name that is no property. */
function compile(keys: readonly string[]): Builder | undefined {
  if (compiled >= mostCompiled || keys.includes('__proto__')) return undefined;
  // The names are ASCII, and JSON quotes them. Such a literal calls no setter of a prototype.
  const properties = keys.map((key) => `${JSON.stringify(key)}: next()`);
  try {
    const builder = new Function('next', `return { ${properties.join(', ')} };`) as Builder;
    compiled++;
    return builder;
  } catch {
    compiled = mostCompiled;
    return undefined;
  }
}

const none = (): (Shape | undefined)[] => Array.from({ length: slots }, () => undefined);
const written = none();
const read = none();
/** Names that were written lately and are no shape yet. */
const seen: (readonly string[])[] = Array.from({ length: slots }, () => []);

/** The shape of an object with those names, if one with the same names was written lately. */
export function shapeToWrite(keys: readonly string[]): Shape | undefined {
  const { length } = keys;
  if (length > mostKeys) return undefined;
  let hash = length;
  for (let i = 0; i < length; i++) {
    const key = keys[i]!;
    hash = (Math.imul(hash, 31) + key.length) ^ key.charCodeAt(key.length - 1);
  }
  const slot = (hash ^ (hash >> 8)) & (slots - 1);
  const shape = written[slot];
  return shape?.hasKeys(keys) ? shape : learn(slot, keys);
}

/** Makes a shape of names that come for the second time. */
function learn(slot: number, keys: readonly string[]): Shape | undefined {
  const before = seen[slot]!;
  seen[slot] = keys;
  if (before.length !== keys.length || !keys.every((key, i) => key === before[i])) return undefined;
  const words = blockOf(keys);
  return words && (written[slot] = new Shape(keys, words));
}

/** Undefined if a block cannot have those names. */
function blockOf(keys: readonly string[]): Int32Array | undefined {
  if (!keys.every((key) => key.length < shortestText && isAscii(key))) return undefined;
  const names = keys.map((key) => String.fromCharCode(tag.ascii + key.length) + key);
  const block = Buffer.from(String.fromCharCode(keys.length) + names.join(''), 'latin1');
  const count = Math.ceil(block.length / 4);
  if (count > mostWords) return undefined;
  const bytes = new DataView(new ArrayBuffer(4 * count));
  block.forEach((byte, at) => bytes.setUint8(at, byte));
  return wordsAt(bytes, 0, count);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function wordsAt(bytes: DataView, at: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => bytes.getInt32(at + 4 * i, true));
}

/**
 * The shape whose block has `count` words, from `at` on.
 *
 * @throws TypeError if that is no block.
 */
export function shapeToRead(bytes: DataView, at: number, count: number): Shape {
  if (count === 0) throw new TypeError('it has an object without names');
  const last = bytes.getInt32(at + 4 * (count - 1), true);
  const hash = Math.imul(bytes.getInt32(at, true) ^ Math.imul(last, 31), 0x9e37_79b1) + count;
  const slot = (hash ^ (hash >> 16)) & (slots - 1);
  const shape = read[slot];
  if (shape !== undefined && hasWords(shape.words, bytes, at, count)) return shape;
  return (read[slot] = new Shape(keysAt(bytes, at, count), wordsAt(bytes, at, count)));
}

function hasWords(words: Int32Array, bytes: DataView, at: number, count: number): boolean {
  if (words.length !== count) return false;
  for (let i = 0; i < count; i++) {
    if (words[i] !== bytes.getInt32(at + 4 * i, true)) return false;
  }
  return true;
}

function keysAt({ buffer, byteOffset }: DataView, start: number, words: number): string[] {
  const bytes = Buffer.from(buffer, byteOffset + start, 4 * words);
  const keys: string[] = [];
  let at = 1;
  for (let left = bytes[0]!; left > 0; left--) {
    const length = (bytes[at] ?? 0) - tag.ascii;
    at += 1 + length;
    if (length < 0 || at > bytes.length) throw new TypeError('its names make no sense');
    keys.push(bytes.toString('latin1', at - length, at));
  }
  return keys;
}
