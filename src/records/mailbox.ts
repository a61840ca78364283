// Records: bytes with a type. The addon moves nothing else (native/addon/queue.cc).
import type { Mailbox } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';

/**
 * This thread's mailbox: the memory in which the addon leaves what it takes out of a queue, unless
 * that is too large. It stays there until the next such call of this thread. So a record is decoded
 * or copied before any code of the caller runs, because that code may get something, too.
 */
const mailbox: Mailbox = once('mailbox', newMailbox);

// Annotated, because a Buffer is not generic in TypeScript before 5.7: it does not know the types
// that would be inferred here.

/** The bytes of what the last call took out. */
export const inbox: Buffer = mailbox.inbox;

const table: Uint32Array = mailbox.table;
const answer: Float64Array = mailbox.answer;

/** What the last call came to. Each field is good until the next call. */
export const result = {
  /** How it went: a `transferStatus`. */
  get status(): number {
    return answer[0]!;
  },
  /** Of one record: what its bytes are. */
  get type(): number {
    return answer[1]!;
  },
  /** Of one record: how many bytes it has in the inbox, from its beginning on. */
  get length(): number {
    return answer[2]!;
  },
  /** Of several records: type, start and end of each. */
  get rows(): Uint32Array {
    return table.subarray(0, 3 * answer[1]!);
  },
  /** Of a lease: where its record is in the ring, and which of its leases it is. */
  get lease(): Lease {
    return { place: answer[3]!, delivery: answer[4]! };
  },
};

/** What names a lease to the addon. */
export interface Lease {
  readonly place: number;
  readonly delivery: number;
}

function newMailbox(): Mailbox {
  const made = {
    inbox: Buffer.allocUnsafeSlow(65_536),
    table: new Uint32Array(3 * 1024),
    // Over an ArrayBuffer of its own: the collector may move a small typed array without one.
    answer: new Float64Array(new ArrayBuffer(5 * 8)),
  };
  addon.useMailbox(made.inbox, made.table, made.answer);
  return made;
}

/** A record on its way in: a part of some bytes. */
export interface Encoded {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One record that has come out, in bytes that nobody overwrites. */
export interface Received {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Several: the bytes, and the type, start and end of each record in them. */
export type ReceivedBatch = readonly [bytes: Buffer, rows: Uint32Array];

/** A part of some bytes as a Buffer of its own. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}

/** The same for what has come out of a queue. Copies only what is not a whole Buffer already. */
export function keep(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes !== inbox && start === 0 && end === bytes.length) return bytes;
  return copyOf(bytes, start, end);
}
