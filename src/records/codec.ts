// Codecs: how an item becomes the bytes of a record, and how those become an item.
import { isUint8Array } from 'node:util/types';
import { label, DecodeError, EncodeError } from '../errors.js';
import { codecs } from '../native/enums.js';
import { once } from '../native/once.js';
import { longestShort, readShort, writeAscii } from './ascii.js';
import { type Scratch, longestCopied } from './batch.js';
import { type Encoded, keep } from './mailbox.js';
import { hasNoBytes } from './following-views.js';
import { ValueReader } from './value-reader.js';
import { ValueWriter } from './value-writer.js';

/** @internal Types of records: part of the format of a queue. */
export const types = {
  utf8: 1,
  utf16: 2,
  double: 3,
  true: 4,
  false: 5,
  null: 6,
  buffer: 7,
  custom: 9,
  /** As value-format.ts says. (8 and 10 were other formats.) */
  value: 11,
} as const;

/** A codec of your own: turns an item into bytes, and back. Both functions are synchronous. */
export interface CustomCodec<T> {
  /** Returns the bytes of an item. The codec must not change them before the put has ended. */
  encode(item: T): Uint8Array;
  /**
   * Returns the item. It may keep `bytes`. An error that it throws becomes the `cause` of a
   * DecodeError.
   */
  decode(bytes: Buffer): T;
}

/**
 * How items become bytes:
 *
 * - `'structured'` (default): what arrives is what structured clone makes of the item, such as
 *   Date, Map, Set, typed arrays, BigInt, RegExp, Error, cycles, and values of another realm. A
 *   Buffer stays a Buffer, and an AggregateError keeps its errors. An object of this package
 *   arrives as its handle. The page docs/api/queue.md lists all values. Getters of an item run
 *   while it is put, and cannot put another one.
 * - `'json'`: JSON.stringify() and JSON.parse().
 * - `'buffer'`: Buffers and Uint8Arrays as they are. They arrive as Buffers.
 * - `{ encode, decode }`: a codec of your own.
 */
export type CodecChoice<T> = 'structured' | 'json' | 'buffer' | CustomCodec<T>;

/** @internal Turns items of one queue into records, and back. */
export abstract class Codec implements Encoded {
  // The record that encode() made last:
  type = 0;
  bytes: Uint8Array = nothing;
  start = 0;
  end = 0;

  /**
   * Makes a record: it sets the properties of this object, which are valid until the next call. The
   * bytes of the record are in `into`, or in a buffer of their own, or are the item itself.
   *
   * @throws EncodeError (a TypeError) for an item that cannot be encoded.
   */
  abstract encode(item: unknown, into: Scratch): void;
  /** `bytes` may be overwritten after the call. */
  abstract decode(type: number, bytes: Buffer, start: number, end: number): unknown;

  protected set(type: number, bytes: Uint8Array, start: number, end: number): void {
    this.type = type;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  protected setText(text: string, into: Scratch): void {
    if (text.length <= longestShort && this.#setShort(text, into)) return;
    // UTF-8 cannot carry lone surrogates.
    const wellFormed = text.isWellFormed();
    const type = wellFormed ? types.utf8 : types.utf16;
    const encoding = wellFormed ? 'utf8' : 'utf16le';
    const most = 3 * text.length;
    if (most > longestCopied) {
      const bytes = Buffer.from(text, encoding);
      this.set(type, bytes, 0, bytes.length);
      return;
    }
    if (!into.stays) refuseWithinGetter();
    const bytes = into.roomFor(most);
    this.set(type, bytes, into.start, into.start + bytes.write(text, into.start, encoding));
    if (into.stays) into.start = this.end;
  }

  /** False if it is not ASCII. */
  #setShort(text: string, into: Scratch): boolean {
    if (!into.stays) refuseWithinGetter();
    const bytes = into.roomFor(longestShort);
    if (!writeAscii(text, bytes, into.start)) return false;
    this.set(types.utf8, bytes, into.start, into.start + text.length);
    if (into.stays) into.start = this.end;
    return true;
  }

  /** The bytes of a record: all those of a view. */
  protected setBytes(type: number, bytes: Uint8Array): void {
    if (bytes.length === 0 && hasNoBytes(bytes)) {
      throw new EncodeError(
        'an item cannot be encoded: its ArrayBuffer was detached, or it reaches beyond the end',
      );
    }
    this.set(type, bytes, 0, bytes.length);
  }

  protected setNumber(number: number, into: Scratch): void {
    if (!into.stays) refuseWithinGetter();
    const bytes = into.roomFor(8);
    this.set(types.double, bytes, into.start, bytes.writeDoubleLE(number, into.start));
    if (into.stays) into.start = this.end;
  }
}

const nothing = new Uint8Array(0);

/** Decodes a record of a type that needs no codec. */
function decodeBasic(type: number, bytes: Buffer, start: number, end: number): unknown {
  switch (type) {
    case types.utf8:
      return readShort(bytes, start, end - start) ?? bytes.toString('utf8', start, end);
    case types.utf16:
      return bytes.toString('utf16le', start, end);
    case types.double:
      if (end - start !== 8) throw new TypeError(`it is a number of ${end - start} bytes`);
      return bytes.readDoubleLE(start);
    case types.true:
      return true;
    case types.false:
      return false;
    case types.null:
      return null;
    case types.buffer:
      return keep(bytes, start, end);
    default:
      throw new TypeError(`it says that it is of type ${type}`);
  }
}

/** @internal The number that stands for a codec in shared memory; 0 if none was chosen. */
export function codecNumber(choice: CodecChoice<never> | undefined): number {
  if (choice === undefined) return 0;
  return typeof choice === 'string' ? codecs[choice] : codecs.custom;
}

/** @internal */
export function checkCodec(choice: unknown): void {
  if (choice === undefined) return;
  if (typeof choice === 'string' && choice !== 'custom' && Object.hasOwn(codecs, choice)) return;
  const { encode, decode } = Object(choice) as Partial<CustomCodec<unknown>>;
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw new TypeError("codec must be 'structured', 'json', 'buffer', or { encode, decode }");
  }
}

/**
 * @internal The codec of a queue, by the number in its file. Undefined if it is a codec of the
 * users' own and `choice` has no functions.
 */
export function codecFor(
  number: number,
  choice: CodecChoice<never> | undefined,
): Codec | undefined {
  switch (number) {
    case codecs.structured:
      return new StructuredCodec();
    case codecs.json:
      return new JsonCodec();
    case codecs.buffer:
      return new BufferCodec();
    default:
      return typeof choice === 'object'
        ? new OwnCodec(choice as unknown as CustomCodec<unknown>)
        : undefined;
  }
}

/**
 * `isOn` while an item is written. All queues of a thread write into the same memory, those of
 * other copies of this package as well. If a getter of the item put another item, that would end up
 * in the middle of the first one.
 */
const writing = once('writing', () => ({ isOn: false }));

const refuseWithinGetter = () => {
  if (writing.isOn) throw new EncodeError('an item cannot be put by a getter of another');
};

class StructuredCodec extends Codec {
  readonly #writer = new ValueWriter('item');
  readonly #reader = new ValueReader();

  encode(item: unknown, into: Scratch): void {
    switch (typeof item) {
      case 'string':
        this.setText(item, into);
        return;
      case 'number':
        this.setNumber(item, into);
        return;
      case 'boolean':
        this.set(item ? types.true : types.false, nothing, 0, 0);
        return;
      case 'undefined':
      case 'function':
      case 'symbol':
        throw new EncodeError(`an item cannot be ${typeof item}`);
      default:
        break;
    }
    if (item === null) {
      this.set(types.null, nothing, 0, 0);
    } else if (isUint8Array(item) && Buffer.isBuffer(item)) {
      this.setBytes(types.buffer, item);
    } else {
      this.#write(item, into);
    }
  }

  #write(item: unknown, into: Scratch): void {
    refuseWithinGetter();
    writing.isOn = true;
    try {
      const writer = this.#writer;
      writer.write(item, into);
      this.set(types.value, writer.bytes, writer.start, writer.end);
      if (into.stays) into.start = writer.end;
    } catch (cause) {
      throw new EncodeError(`an item cannot be encoded: ${(cause as Error)?.message}`, { cause });
    } finally {
      writing.isOn = false;
    }
  }

  decode(type: number, bytes: Buffer, start: number, end: number): unknown {
    if (type === types.value) return this.#reader.read(bytes, start, end);
    return decodeBasic(type, bytes, start, end);
  }
}

class JsonCodec extends Codec {
  encode(item: unknown, into: Scratch): void {
    let text: string | undefined;
    try {
      text = JSON.stringify(item) as string | undefined;
    } catch (cause) {
      throw new EncodeError(`an item cannot be encoded: ${(cause as Error).message}`, { cause });
    }
    if (text === undefined) throw new EncodeError(`an item cannot be ${typeof item}`);
    this.setText(text, into);
  }

  decode(type: number, bytes: Buffer, start: number, end: number): unknown {
    return JSON.parse(decodeBasic(type, bytes, start, end) as string);
  }
}

class BufferCodec extends Codec {
  encode(item: unknown): void {
    if (!isUint8Array(item)) {
      throw new EncodeError('an item of this queue must be a Buffer or Uint8Array');
    }
    this.setBytes(types.buffer, item);
  }

  decode(type: number, bytes: Buffer, start: number, end: number): unknown {
    return decodeBasic(type, bytes, start, end);
  }
}

class OwnCodec extends Codec {
  constructor(readonly own: CustomCodec<unknown>) {
    super();
  }

  encode(item: unknown): void {
    const bytes: unknown = this.own.encode(item);
    if (!isUint8Array(bytes)) throw new EncodeError('encode() must return a Uint8Array');
    this.setBytes(types.custom, bytes);
  }

  decode(_type: number, bytes: Buffer, start: number, end: number): unknown {
    return this.own.decode(keep(bytes, start, end));
  }
}

/** @internal True if no code of the caller runs when such a record is decoded. */
export function runsNothing(type: number): boolean {
  return type <= types.buffer || type === types.value;
}

/**
 * @internal Decodes a record that has been taken out of `queue`.
 *
 * @throws DecodeError, which has the bytes of the item.
 */
export function decodeItem(
  codec: Codec,
  queue: { readonly kind: string; readonly name: string },
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
): unknown {
  // The codec may run code that puts another item into the mailbox, and the error needs the bytes.
  const kept = runsNothing(type) ? bytes : keep(bytes, start, end);
  if (kept !== bytes) [start, end] = [0, kept.length];
  try {
    const item = codec.decode(type, kept, start, end);
    if (item === undefined) throw new TypeError('decode() returned undefined');
    return item;
  } catch (cause) {
    const { kind, name } = queue;
    throw new DecodeError(
      `${label(kind, name)}: an item cannot be decoded: ${(cause as Error)?.message}`,
      keep(kept, start, end),
      { kind, objectName: name, cause },
    );
  }
}
