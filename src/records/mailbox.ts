// Records: bytes with a type. The addon moves nothing else (native/addon/queue.cc).
import { Buffer } from 'node:buffer'; // V8 calls an accessor for the global one
import type { Mailbox } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';

/**
 * This thread's mailbox: the memory in which the addon leaves what it takes out of a queue. Only
 * what is too large goes elsewhere. It stays there until the next such call of this thread. A
 * record is decoded or copied before any code of the caller runs, because that code may make such a
 * call.
 */
const mailbox: Mailbox = once('mailbox', newMailbox);

// Annotated, because a Buffer is not generic in TypeScript before 5.7: it does not know the types
// that would be inferred here.

/** The bytes of what the last call took out. */
export const inbox: Buffer = mailbox.inbox;

const table: Uint32Array = mailbox.table;

/** The numbers that the last call left. Which ones, the call says; of a queue's, see `at`. */
export const answer: Float64Array = mailbox.answer;

/** Where the record that `putOutbox` puts is in the outbox: type, start and end. */
export const order: Uint32Array = mailbox.order;

/** Where `answer` has what a call of a queue came to. V8 reads it faster than an accessor. */
export const at = {
  /** A `transferStatus`. */
  status: 0,
  /** The type of one record. */
  type: 1,
  /** The length of one record, in bytes. It begins at the beginning of the inbox. */
  length: 2,
} as const;

/** More of the last call. Each field is valid until the next call. */
export const result = {
  /** Type, start and end of each of several records. */
  get rows(): Uint32Array {
    return table.subarray(0, 3 * answer[1]!);
  },
  /**
   * The lease that take() got: the place of its record in the ring, the number of the delivery, and
   * the priority of the item.
   */
  get lease(): Lease {
    return { place: answer[3]!, delivery: answer[4]!, priority: answer[5]! };
  },
};

/** A lease. Its place and its delivery name it to the addon. */
export interface Lease {
  readonly place: number;
  readonly delivery: number;
  readonly priority: number;
}

function newMailbox(): Mailbox {
  const made = {
    // A batch of a hundred items of 1 KiB stays in it. Only what is used takes memory.
    inbox: Buffer.allocUnsafeSlow(262_144),
    table: new Uint32Array(3 * 1024),
    // These two are made over ArrayBuffers of their own, because the garbage collector may move a
    // small typed array without one.
    answer: new Float64Array(new ArrayBuffer(6 * 8)),
    order: new Uint32Array(new ArrayBuffer(3 * 4)),
  };
  addon.useMailbox(made.inbox, made.table, made.answer, made.order);
  return made;
}

/** A record that is about to be put: a part of some bytes. */
export interface Encoded {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One record that was taken out, in bytes that no later call overwrites. */
export interface Received {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Several records that were taken out: see `getMany` in src/native/queue.ts. */
export type ReceivedBatch = readonly [bytes: Buffer, rows: Uint32Array, buffers: readonly Buffer[]];

/** The end of a record in a batch, if the record has a Buffer of its own. */
export const inBuffer = 2 ** 32 - 1;

/** Copies a part of some bytes into a Buffer of its own. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}

/**
 * Does the same for bytes that came out of a queue. It copies only if they are not a whole Buffer
 * already.
 */
export function keep(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes !== inbox && start === 0 && end === bytes.length) return bytes;
  return copyOf(bytes, start, end);
}
