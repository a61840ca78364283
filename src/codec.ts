// How an item becomes the bytes of a record, and back.
import { Packr } from 'msgpackr';
import { label, DecodeError, EncodeError } from './errors.js';

/** Types of records. Up to 7 the addon reads and writes them itself (native/addon/queue.cc, `Type`). */
export const types = {
  utf8: 1,
  utf16: 2,
  double: 3,
  true: 4,
  false: 5,
  null: 6,
  buffer: 7,
  structured: 8,
  custom: 9,
} as const;

/** A codec of your own: any value to bytes, and back. */
export interface CustomCodec<T> {
  /** Must not return bytes that it changes later, before the put has ended. */
  encode(item: T): Uint8Array;
  /** May keep `bytes`. What it throws becomes the `cause` of a DecodeError. */
  decode(bytes: Buffer): T;
}

/**
 * - `'structured'` (default): what structured clone knows, through msgpackr, which is several times as
 *   fast: Date, Map, Set, typed arrays, BigInt, RegExp, Error, cycles. Class instances arrive as plain
 *   objects. Not kept: -0, lone surrogates and holes inside an object or array, boxed primitives, an own
 *   key `__proto__`, the errors of an AggregateError; a WeakMap or Promise arrives as `{}`. Where that
 *   matters take `{ encode: v8.serialize, decode: v8.deserialize }`.
 * - `'json'`: JSON.stringify and JSON.parse.
 * - `'buffer'`: Buffers and Uint8Arrays, as they are; they arrive as Buffers.
 */
export type CodecChoice<T> = 'structured' | 'json' | 'buffer' | CustomCodec<T>;

/** Turns items of one queue into records. `type` belongs to the payload that encode() returned last. */
export interface Codec {
  /** Stored in the queue, so that all its users agree. */
  readonly number: number;
  type: number;
  /** @throws EncodeError (a TypeError) for what cannot travel. */
  encode(item: unknown): unknown;
  decode(type: number, payload: unknown): unknown;
}

const codecNumbers = { structured: 1, json: 2, buffer: 3, custom: 4 } as const;

/** The number that stands for a choice in shared memory; 0 for none. */
export function codecNumber(choice: CodecChoice<never> | undefined): number {
  if (choice === undefined) return 0;
  return typeof choice === 'string' ? codecNumbers[choice] : codecNumbers.custom;
}

export function checkCodec(choice: unknown): void {
  if (choice === undefined) return;
  if (typeof choice === 'string' && choice !== 'custom' && Object.hasOwn(codecNumbers, choice))
    return;
  const { encode, decode } = Object(choice) as Partial<CustomCodec<unknown>>;
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw new TypeError("codec must be 'structured', 'json', 'buffer', or { encode, decode }");
  }
}

/** The codec of an open queue, whose number is known. Undefined if it needs functions not given. */
export function codecFor(
  number: number,
  choice: CodecChoice<never> | undefined,
): Codec | undefined {
  switch (number) {
    case codecNumbers.structured:
      return new StructuredCodec();
    case codecNumbers.json:
      return new JsonCodec();
    case codecNumbers.buffer:
      return new BufferCodec();
    default:
      return typeof choice === 'object'
        ? new OwnCodec(choice as unknown as CustomCodec<unknown>)
        : undefined;
  }
}

/** Strings travel as UTF-8, unless they hold lone surrogates. */
function stringType(text: string): number {
  return text.isWellFormed() ? types.utf8 : types.utf16;
}

class StructuredCodec implements Codec {
  readonly number = codecNumbers.structured;
  type = 0;
  readonly #packr: Packr;

  constructor() {
    this.#packr = new Packr({ structuredClone: true });
    // msgpackr would make `undefined` of a function inside an item.
    Object.assign(this.#packr, {
      writeFunction: () => {
        throw new TypeError('a function cannot travel');
      },
    });
  }

  encode(item: unknown): unknown {
    switch (typeof item) {
      case 'string':
        this.type = stringType(item);
        return item;
      case 'number':
        this.type = types.double;
        return item;
      case 'boolean':
        this.type = item ? types.true : types.false;
        return item;
      case 'undefined':
      case 'function':
      case 'symbol':
        throw new EncodeError(`an item cannot be ${typeof item}`);
      default:
        break;
    }
    if (item === null) {
      this.type = types.null;
      return item;
    }
    if (Buffer.isBuffer(item)) {
      this.type = types.buffer;
      return item;
    }
    this.type = types.structured;
    try {
      return this.#packr.pack(item);
    } catch (cause) {
      throw new EncodeError(`an item cannot be encoded: ${(cause as Error).message}`, { cause });
    }
  }

  decode(type: number, payload: unknown): unknown {
    return type === types.structured ? this.#packr.unpack(payload as Buffer) : payload;
  }
}

class JsonCodec implements Codec {
  readonly number = codecNumbers.json;
  type = 0;

  encode(item: unknown): unknown {
    let text: string | undefined;
    try {
      text = JSON.stringify(item) as string | undefined;
    } catch (cause) {
      throw new EncodeError(`an item cannot be encoded: ${(cause as Error).message}`, { cause });
    }
    if (text === undefined) throw new EncodeError(`an item cannot be ${typeof item}`);
    this.type = stringType(text);
    return text;
  }

  decode(_type: number, payload: unknown): unknown {
    return JSON.parse(payload as string);
  }
}

class BufferCodec implements Codec {
  readonly number = codecNumbers.buffer;
  type: number = types.buffer;

  encode(item: unknown): unknown {
    if (!(item instanceof Uint8Array)) {
      throw new EncodeError('an item of this queue must be a Buffer or Uint8Array');
    }
    return item;
  }

  decode(_type: number, payload: unknown): unknown {
    return payload;
  }
}

class OwnCodec implements Codec {
  readonly number = codecNumbers.custom;
  type: number = types.custom;
  constructor(readonly own: CustomCodec<unknown>) {}

  encode(item: unknown): unknown {
    const bytes: unknown = this.own.encode(item);
    if (!(bytes instanceof Uint8Array)) throw new EncodeError('encode() must return a Uint8Array');
    return bytes;
  }

  decode(_type: number, payload: unknown): unknown {
    return this.own.decode(payload as Buffer);
  }
}

/** Decodes, or says which item it was: it is out of the queue, and its bytes are in the error. */
export function decodeItem(codec: Codec, name: string, type: number, payload: unknown): unknown {
  try {
    const item = codec.decode(type, payload);
    if (item === undefined) throw new TypeError('decode() returned undefined');
    return item;
  } catch (cause) {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(String(payload));
    throw new DecodeError(
      `${label('Queue', name)}: an item cannot be decoded: ${(cause as Error)?.message}`,
      bytes,
      { kind: 'Queue', objectName: name, cause },
    );
  }
}
