// Bytes, numbers and text into a record: the lower half of value-writer.ts.
import type { Scratch } from './batch.js';
import { shortestText, smallIntegers, tag } from './value-format.js';

/** The bytes of a longer text are counted, to make no more room than it needs. */
const longestGuessed = 8192;

/** Writes behind what it has written. */
export class ByteWriter {
  #into!: Scratch;
  /** The bytes that it is written into. */
  bytes!: Buffer;
  /** Where it begins there. */
  start = 0;
  /** Where it ends so far. */
  end = 0;
  /** The same bytes, for doubles. */
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
    const [bytes, at] = [this.bytes, this.end];
    bytes[at] = integer;
    bytes[at + 1] = integer >> 8;
    bytes[at + 2] = integer >> 16;
    bytes[at + 3] = integer >> 24;
    this.end = at + 4;
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
    // Object.is: -0 is a double.
    if (!Object.is(integer, number)) {
      this.byte(tag.double);
      this.double(number);
    } else if (integer >= 0 && integer < smallIntegers) {
      this.byte(tag.smallInteger + integer);
    } else {
      this.byte(tag.int32);
      this.int32(integer);
    }
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
    const [bytes, from] = [this.bytes, this.end + 1];
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[from + i] = code;
    }
    bytes[from - 1] = tag.ascii + length;
    this.end = from + length;
    return true;
  }

  protected bigint(value: bigint): void {
    this.byte(value < 0n ? tag.negativeBigint : tag.bigint);
    this.text((value < 0n ? -value : value).toString(16));
  }
}
