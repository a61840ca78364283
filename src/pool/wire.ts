// What a Pool and its workers tell each other, as bytes.
//
// A message is a record of a queue, and then so many records as it says: its large Buffers, which
// travel as they are. Nothing else copies them into another message first.
import { attach } from '../objects/attach.js';
import type { Handle } from '../objects/shared.js';
import type { Found } from '../process/arguments.js';
import { Scratch } from '../records/batch.js';
import { ValueReader } from '../records/value-reader.js';
import { ValueWriter } from '../records/value-writer.js';

/** To a worker: `[kind, sequence, module, export, items, large]`. */
export type Order = [
  kind: OrderKind,
  sequence: number,
  module: string,
  name: string,
  items: unknown[],
  large: Large | undefined,
];

/** `call` calls the function once with the items; `each` calls it for each of them. */
export const orderKinds = { call: 0, each: 1 } as const;
export type OrderKind = (typeof orderKinds)[keyof typeof orderKinds];

/** From a worker: `[kind, sequence, items, large]`. */
export type Answer = [
  kind: AnswerKind,
  sequence: number,
  items: unknown[],
  large: Large | undefined,
];

/**
 * `done`: the items are results. `failed`: the one item is a Thrown. `refused`: the one item says
 * why the result cannot be sent. `ready`: the initializer has run. `useless`: it threw the one
 * item.
 */
export const answerKinds = {
  done: 0,
  failed: 1,
  refused: 2,
  ready: 3,
  useless: 4,
} as const;
export type AnswerKind = (typeof answerKinds)[keyof typeof answerKinds];

/** Where the large Buffers belong: index of the item, and 1 for a Uint8Array that is no Buffer. */
type Large = number[];

/** A smaller Buffer is cheaper as a part of its message. */
export const largeBytes = 16_384;

/** True for what travels in a record of its own. */
export function isLarge(item: unknown): item is Uint8Array {
  if (!(item instanceof Uint8Array) || item.byteLength < largeBytes) return false;
  if (Buffer.isBuffer(item)) return true;
  // Structured clone keeps what is around a view.
  return item.constructor === Uint8Array && item.byteLength === item.buffer.byteLength;
}

/** Writes messages. The bytes are valid until the next one is written. */
export class MessageWriter {
  readonly #scratch = new Scratch();
  readonly #writer: ValueWriter;
  /** The objects of holdfast in the last message. */
  readonly objects: Found[] = [];

  /** `root` is what errors call the part of a message that is so many steps inside of it. */
  constructor(root: string, steps: number) {
    const meet = (object: unknown, place: string) => {
      this.objects.push({ object: object as Found['object'], place });
    };
    this.#writer = new ValueWriter(root, meet, steps);
  }

  /**
   * Writes a message whose items are at `at`: its record, and the large Buffers that follow it.
   *
   * @throws TypeError for what cannot be cloned.
   */
  write(message: unknown[], at: number): [record: Uint8Array, large: readonly Uint8Array[]] {
    this.objects.length = 0;
    const large = takeLarge(message, at);
    const writer = this.#writer;
    writer.write(message, this.#scratch);
    return [writer.bytes.subarray(writer.start, writer.end), large];
  }
}

const none: readonly Uint8Array[] = [];

/**
 * Takes the place of a large Buffer that cannot be put. The message that it belongs to is dropped.
 * Its type is written out: inferred, it would be one that TypeScript before 5.7 does not know.
 */
export const dropped: Uint8Array = new Uint8Array(0);

/** So many objects are remembered before those are looked for that nobody uses. */
const mostOpened = 1024;

/** An object of this package. LockManager has no isOpen, and is opened each time. */
interface Opened {
  readonly isOpen?: boolean;
}

/** Takes the large Buffers out of the items, and writes down where they belong. */
function takeLarge(message: unknown[], at: number): readonly Uint8Array[] {
  let items = message[at] as unknown[];
  let large: Uint8Array[] | undefined;
  const places: Large = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    // The same one twice must arrive as the same one.
    if (!isLarge(item) || items.indexOf(item) !== items.lastIndexOf(item)) continue;
    if (large === undefined) {
      large = [];
      items = message[at] = [...items];
    }
    large.push(item);
    places.push(i, Buffer.isBuffer(item) ? 0 : 1);
    items[i] = null;
  }
  if (large === undefined) return none;
  message[at + 1] = places;
  return large;
}

/** Reads messages, and opens the objects in them. */
export class MessageReader<M extends unknown[]> {
  readonly #reader = new ValueReader((handle) => this.#open(handle as Handle));
  readonly #opened = new Map<string, WeakRef<Opened>>();
  #failure: unknown;
  readonly #at: number;
  readonly #remembers: boolean;
  /** A message whose large Buffers are still to come. */
  #message: M | undefined;
  #missing = 0;

  /**
   * `at` is where messages have their items. With `remembers` an object that comes again is the
   * same one in JavaScript, too, while it is in use.
   */
  constructor(at: number, remembers: boolean) {
    this.#at = at;
    this.#remembers = remembers;
  }

  /** Why an object in the last message could not be opened; undefined if all could. */
  get failure(): unknown {
    return this.#failure;
  }

  #open(handle: Handle): unknown {
    const key = `${handle.holdfast} ${handle.name}`;
    const before = this.#opened.get(key)?.deref();
    if (before?.isOpen) return before;
    try {
      const object = attach(handle) as unknown as Opened;
      if (this.#remembers) this.#opened.set(key, new WeakRef(object));
      if (this.#opened.size > mostOpened) this.#forget();
      return object;
    } catch (error) {
      // The rest of the message must be read all the same.
      this.#failure = error;
      return null;
    }
  }

  /** Forgets objects that nobody uses any more. */
  #forget(): void {
    for (const [key, object] of this.#opened) {
      if (object.deref()?.isOpen !== true) this.#opened.delete(key);
    }
  }

  /** Takes the next record. Returns a message when it is whole. */
  read(record: Buffer): M | undefined {
    let message = this.#message;
    if (message === undefined) {
      this.#failure = undefined;
      message = this.#reader.read(record, 0, record.length) as M;
      const places = message[this.#at + 1] as Large | undefined;
      if (places === undefined) return message;
      this.#message = message;
      this.#missing = places.length / 2;
      return undefined;
    }
    if (record.length === dropped.length) {
      this.#message = undefined;
      return undefined;
    }
    const places = message[this.#at + 1] as Large;
    const next = places.length - 2 * this.#missing;
    const items = message[this.#at] as unknown[];
    items[places[next]!] = places[next + 1] === 0 ? record : plain(record);
    if (--this.#missing > 0) return undefined;
    this.#message = undefined;
    return message;
  }
}

function plain(buffer: Buffer): Uint8Array {
  const { buffer: whole, byteOffset, length } = buffer;
  if (length === whole.byteLength) return new Uint8Array(whole, byteOffset, length);
  return Uint8Array.from(buffer);
}
