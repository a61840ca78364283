// Bytes back into a value: see value-format.ts.
import {
  BuiltInDate,
  define,
  errorClasses,
  hasReferences,
  tag,
  viewClasses,
} from './value-format.js';
import { readShort } from './ascii.js';
import { copyOf, inbox } from './mailbox.js';
import { shapeToRead } from './shape.js';

/** What an error lacks. */
const absent = Symbol('absent');

type Class<T> = new (...args: unknown[]) => T;

/** Of this realm; undefined for a class that this version of Node does not have. */
function builtIn<T>(name: string | undefined): Class<T> {
  const Class = name && (globalThis as unknown as Record<string, Class<T> | undefined>)[name];
  if (!Class) throw new TypeError(`this version of Node.js has no ${name}`);
  return Class;
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key in object) define(object, key, value);
  else object[key] = value;
}

const nothing = Buffer.alloc(0);
/** Larger memory is not kept until the next value, unless it stays anyway. */
const largestKept = 65_536;

/** Makes an error whose stack will be another one. To find out its own would take longest. */
function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** Names of properties that were read lately, by a hash of their bytes. */
const recentKeys = Array.from({ length: 1024 }, () => '');

/**
 * Reads values. It runs no code of the caller's. Bytes that no writer wrote make it throw, or give
 * some other value.
 */
export class ValueReader {
  #bytes!: Buffer;
  /** The same bytes, for numbers. */
  #view!: DataView;
  #at = 0;
  #end = 0;
  /** The objects by number, if there are references. */
  #objects: unknown[] | undefined;
  readonly #next = () => this.#entry();
  readonly #open: ((handle: unknown) => unknown) | undefined;

  /** `open` turns a handle into an object of this package. */
  constructor(open?: (handle: unknown) => unknown) {
    this.#open = open;
  }

  read(bytes: Buffer, start: number, end: number): unknown {
    this.#use(bytes);
    this.#at = start;
    this.#end = end;
    this.#objects = this.#byte() & hasReferences ? [] : undefined;
    try {
      const value = this.#entry();
      if (this.#at !== end) throw new TypeError('its bytes do not end where they should');
      return value;
    } finally {
      this.#objects = undefined;
      if (bytes.length > largestKept && bytes !== inbox) this.#use(nothing);
    }
  }

  #use(bytes: Buffer): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #entry(): unknown {
    const found = this.#byte();
    if (found >= tag.ascii) return this.#ascii(found - tag.ascii);
    if (found >= tag.smallInteger) return found - tag.smallInteger;
    switch (found) {
      case tag.undefined:
        return undefined;
      case tag.null:
        return null;
      case tag.false:
        return false;
      case tag.true:
        return true;
      case tag.int32:
        return this.#int32();
      case tag.double:
        return this.#double();
      case tag.utf8:
        return this.#text('utf8');
      case tag.utf16:
        return this.#text('utf16le');
      case tag.shape:
        return this.#shaped();
      case tag.object:
        return this.#properties(this.#add({}));
      case tag.array:
        return this.#array();
      default:
        return this.#rarer(found);
    }
  }

  #rarer(found: number): unknown {
    switch (found) {
      case tag.bigint:
        return this.#bigint();
      case tag.negativeBigint:
        return -this.#bigint();
      case tag.reference:
        return this.#reference();
      case tag.numbers:
        return this.#numbers();
      case tag.sparseArray:
        return this.#sparseArray();
      case tag.date:
        return this.#add(new BuiltInDate(this.#double()));
      case tag.map:
        return this.#map();
      case tag.set:
        return this.#set();
      case tag.regexp:
        return this.#add(new RegExp(this.#string(), this.#string()));
      case tag.error:
        return this.#error();
      case tag.absent:
        return absent;
      case tag.domException:
        return this.#domException();
      case tag.arrayBuffer:
        return this.#arrayBuffer();
      case tag.resizableArrayBuffer:
        return this.#arrayBuffer(this.#length());
      case tag.view:
        return this.#addAfter(() => this.#viewOf(true));
      case tag.followingView:
        return this.#addAfter(() => this.#viewOf(false));
      case tag.buffer:
        return this.#buffer();
      case tag.boxed:
        return this.#add(Object(this.#entry()));
      case tag.traveller:
        return this.#addAfter(() => this.#traveller());
      default:
        throw new TypeError(`it has an unknown tag, ${found}`);
    }
  }

  /** Gives an object its number. Objects inside it come later. */
  #add<T>(object: T): T {
    this.#objects?.push(object);
    return object;
  }

  /** The same for an object that can be made only after an object inside it. */
  #addAfter<T>(make: () => T): T {
    if (this.#objects === undefined) return make();
    const number = this.#objects.push(undefined) - 1;
    return (this.#objects[number] = make()) as T;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new TypeError('its bytes end too early');
    return this.#bytes[this.#at++]!;
  }

  /** Skips `count` bytes, and returns where they begin. */
  #skip(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new TypeError('its bytes end too early');
    this.#at = start + count;
    return start;
  }

  #int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  #double(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  #length(): number {
    const short = this.#byte();
    return short < 255 ? short : this.#int32() >>> 0;
  }

  #text(encoding: 'utf8' | 'utf16le'): string {
    const start = this.#skip(this.#length());
    return this.#bytes.toString(encoding, start, this.#at);
  }

  #ascii(length: number): string {
    const at = this.#skip(length);
    return readShort(this.#bytes, at, length) ?? this.#bytes.toString('latin1', at, at + length);
  }

  #string(): string {
    const text = this.#entry();
    if (typeof text !== 'string') throw new TypeError('it has no text where there should be one');
    return text;
  }

  /** The name of a property. Most names were read before, and cost less then. */
  #key(): string {
    const [bytes, at] = [this.#bytes, this.#at];
    const length = bytes[at]! - tag.ascii;
    if (length < 0 || at + 1 + length > this.#end) return this.#string();
    let hash = length;
    for (let i = at + 1; i <= at + length; i++) hash = (hash * 31 + bytes[i]!) & 0xffff_ffff;
    const slot = (hash ^ (hash >> 10)) & 1023;
    const recent = recentKeys[slot]!;
    if (recent.length === length) {
      let same = 0;
      while (same < length && recent.charCodeAt(same) === bytes[at + 1 + same]) same++;
      if (same === length) {
        this.#at = at + 1 + length;
        return recent;
      }
    }
    return (recentKeys[slot] = this.#string());
  }

  #reference(): unknown {
    const number = this.#length();
    if (this.#objects === undefined || number >= this.#objects.length) {
      throw new TypeError('it refers to an object that it does not have');
    }
    return this.#objects[number];
  }

  #properties(object: Record<string, unknown>): object {
    for (let left = this.#length(); left > 0; left--) {
      set(object, this.#key(), this.#entry());
    }
    return object;
  }

  #shaped(): object {
    const words = this.#byte();
    const shape = shapeToRead(this.#view, this.#skip(4 * words), words);
    // An object that has a number exists before what is inside it.
    const builder = this.#objects === undefined ? shape.builder : undefined;
    if (builder !== undefined) return builder(this.#next);
    const object: Record<string, unknown> = this.#add({});
    for (const key of shape.keys) set(object, key, this.#entry());
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = this.#add([]);
    for (let left = this.#length(); left > 0; left--) array.push(this.#entry());
    return array;
  }

  #numbers(): unknown[] {
    const head = this.#skip(12);
    const [view, array] = [this.#view, this.#add([] as unknown[])];
    const length = view.getUint32(head, true);
    const integers = view.getUint32(head + 4, true);
    const doubles = view.getUint32(head + 8, true);
    if (integers + doubles > length) throw new TypeError('it has more numbers than items');
    let at = this.#skip(4 * integers);
    for (; at < this.#at; at += 4) array.push(view.getInt32(at, true));
    at = this.#skip(8 * doubles);
    for (; at < this.#at; at += 8) array.push(view.getFloat64(at, true));
    for (let left = length - integers - doubles; left > 0; left--) array.push(this.#entry());
    return array;
  }

  #sparseArray(): unknown[] {
    const array: unknown[] = this.#add([]);
    array.length = this.#length();
    for (let left = this.#length(); left > 0; left--) {
      define(array, this.#string(), this.#entry());
    }
    return array;
  }

  #map(): Map<unknown, unknown> {
    const map = this.#add(new Map<unknown, unknown>());
    for (let left = this.#length(); left > 0; left--) map.set(this.#entry(), this.#entry());
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#add(new Set<unknown>());
    for (let left = this.#length(); left > 0; left--) set.add(this.#entry());
    return set;
  }

  #bigint(): bigint {
    return BigInt(`0x${this.#string()}`);
  }

  #error(): Error {
    const name = errorClasses[this.#length()];
    const ErrorClass = builtIn<Error>(name);
    const error = this.#add(
      withoutStack(() => (name === 'AggregateError' ? new ErrorClass([]) : new ErrorClass())),
    );
    for (const key of ['message', 'stack', 'cause', 'errors']) {
      const value = this.#entry();
      if (value !== absent) define(error, key, value, false);
      else if (key === 'stack') define(error, key, undefined, false);
      else if (key === 'errors') delete (error as Partial<AggregateError>).errors;
    }
    return error;
  }

  #domException(): DOMException {
    const [name, message, stack] = [this.#string(), this.#string(), this.#entry()];
    const error = withoutStack(() => new DOMException(message, name));
    define(error, 'stack', stack === absent ? undefined : stack, false);
    return this.#add(error);
  }

  #arrayBuffer(maxByteLength?: number): ArrayBuffer {
    const length = this.#length();
    const start = this.#skip(length);
    // TypeScript's libraries for ES2023 do not know the second argument.
    const buffer = new (ArrayBuffer as unknown as Class<ArrayBuffer>)(
      length,
      maxByteLength === undefined ? undefined : { maxByteLength },
    );
    new Uint8Array(buffer).set(this.#bytes.subarray(start, this.#at));
    return this.#add(buffer);
  }

  #viewOf(hasLength: boolean): ArrayBufferView {
    const ViewClass = builtIn<ArrayBufferView>(viewClasses[this.#length()]);
    const offset = this.#length();
    const length = hasLength ? this.#length() : undefined;
    const buffer = this.#entry();
    if (!(buffer instanceof ArrayBuffer)) throw new TypeError('it has a view of no ArrayBuffer');
    return new ViewClass(buffer, offset, length);
  }

  #traveller(): unknown {
    const handle = this.#entry();
    if (this.#open === undefined) throw new TypeError('it has an object that nobody opens');
    return this.#open(handle);
  }

  #buffer(): Buffer {
    const start = this.#skip(this.#length());
    return this.#add(copyOf(this.#bytes, start, this.#at));
  }
}
