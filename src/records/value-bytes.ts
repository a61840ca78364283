// Bytes, numbers and text into a record: the lower half of value-writer.ts.
import { writeAscii } from './ascii.js';
import type { Scratch } from './batch.js';
import { shortestText, smallIntegers, tag } from './value-format.js';

/** The bytes of a longer text are counted, to make no more room than it needs. */
const longestGuessed = 8192;

/** It is a double, and no integer. */
function isMinusZero(number: number): boolean {
  return number === 0 && 1 / number < 0;
}

/** Writes behind what it has written. */
export class ByteWriter {
  #into!: Scratch;
  /** The bytes that it is written into. */
  bytes!: Buffer;
  /** Where it begins there. */
  start = 0;
  /** Where it ends so far. */
  end = 0;
  /** The same bytes, for numbers. */
  #view!: DataView;

  /** Begins to write behind `into.start`. */
  protected begin(into: Scratch): void {
    this.#into = into;
    this.#use(into.roomFor(256));
    this.start = this.end = into.start;
  }

  #use(bytes: Buffer): void {
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Makes room for `count` more bytes. */
  #room(count: number): void {
    if (this.end + count <= this.bytes.length) return;
    this.#use(this.#into.grow(this.end, count));
    this.end -= this.start - this.#into.start;
    this.start = this.#into.start;
  }

  protected byte(byte: number): void {
    this.#room(1);
    this.bytes[this.end++] = byte;
  }

  protected int32(integer: number): void {
    this.#room(4);
    this.#view.setInt32(this.end, integer, true);
    this.end += 4;
  }

  protected words(words: Int32Array): void {
    const count = words.length;
    this.byte(count);
    this.#room(4 * count);
    const [view, at] = [this.#view, this.end];
    for (let i = 0; i < count; i++) view.setInt32(at + 4 * i, words[i]!, true);
    this.end = at + 4 * count;
  }

  protected double(number: number): void {
    this.#room(8);
    this.#view.setFloat64(this.end, number, true);
    this.end += 8;
  }

  protected length(length: number): void {
    if (length < 255) return this.byte(length);
    if (length > 0xffff_ffff) throw new RangeError('a part of it is larger than 4 GiB');
    this.byte(255);
    this.int32(length);
  }

  protected copy(source: Uint8Array): void {
    this.length(source.length);
    this.#room(source.length);
    this.bytes.set(source, this.end);
    this.end += source.length;
  }

  protected number(number: number): void {
    const integer = number | 0;
    if (integer !== number || isMinusZero(number)) {
      this.byte(tag.double);
      this.double(number);
    } else if (integer >= 0 && integer < smallIntegers) {
      this.byte(tag.smallInteger + integer);
    } else {
      this.byte(tag.int32);
      this.int32(integer);
    }
  }

  /**
   * Writes an array that begins with numbers: integers in 4 bytes each, and from the first other
   * number on 8 bytes each. Returns how many these are, and the item after them, which is read only
   * once because it may have a getter. The caller writes the rest.
   */
  protected numbers(array: readonly unknown[], first: number): { count: number; next: unknown } {
    const { length } = array;
    this.byte(tag.numbers);
    this.#room(12 + 8 * length);
    const [view, head] = [this.#view, this.end];
    let at = head + 12;
    let count = 0;
    let next: unknown = first;
    for (
      ;
      typeof next === 'number' && (next | 0) === next && !isMinusZero(next);
      next = ++count < length ? array[count] : undefined
    ) {
      view.setInt32(at, next, true);
      at += 4;
    }
    const integers = count;
    for (; typeof next === 'number'; next = ++count < length ? array[count] : undefined) {
      view.setFloat64(at, next, true);
      at += 8;
    }
    view.setUint32(head, length, true);
    view.setUint32(head + 4, integers, true);
    view.setUint32(head + 8, count - integers, true);
    this.end = at;
    return { count, next };
  }

  protected text(text: string): void {
    if (text.length < shortestText && this.#ascii(text)) return;
    const wellFormed = text.isWellFormed(); // UTF-8 cannot carry lone surrogates
    const encoding = wellFormed ? 'utf8' : 'utf16le';
    const most = text.length > longestGuessed ? Buffer.byteLength(text, encoding) : 3 * text.length;
    this.byte(wellFormed ? tag.utf8 : tag.utf16);
    // The length is known afterwards, so it has always five bytes.
    this.#room(5 + most);
    const from = this.end + 5;
    const length = this.bytes.write(text, from, encoding);
    this.bytes[this.end++] = 255;
    this.int32(length);
    this.end = from + length;
  }

  /** False, and nothing written, if it is not ASCII. */
  #ascii(text: string): boolean {
    const { length } = text;
    this.#room(1 + length);
    if (!writeAscii(text, this.bytes, this.end + 1)) return false;
    this.bytes[this.end] = tag.ascii + length;
    this.end += 1 + length;
    return true;
  }

  protected bigint(value: bigint): void {
    this.byte(value < 0n ? tag.negativeBigint : tag.bigint);
    this.text((value < 0n ? -value : value).toString(16));
  }
}
