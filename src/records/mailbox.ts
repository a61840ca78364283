// Records: bytes with a type, which is all that the addon moves (native/addon/queue.cc).
import type { Mailbox } from '../native/bindings.js';
import { addon } from '../native/load.js';

/**
 * This thread's mailbox, one for all copies of this module: test runners load it again, and the addon not.
 * What a call takes out of a queue is left here, unless it is too large, and stays until the next such
 * call: it is to be decoded or copied before any code of the caller's runs.
 */
export const { inbox, table, answer } = (addon.mailbox ??= newMailbox());

function newMailbox(): Mailbox {
  const mailbox = {
    inbox: Buffer.allocUnsafeSlow(65_536),
    table: new Uint32Array(3 * 1024),
    answer: new Float64Array(new ArrayBuffer(5 * 8)), // a small one without it might be moved by the collector
  };
  addon.useMailbox(mailbox.inbox, mailbox.table, mailbox.answer);
  return mailbox;
}

/** A record on its way in: a part of some bytes. */
export interface Encoded {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A part of some bytes as a Buffer of its own. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}

/** The same for what has been received: a copy only if it is not a Buffer of its own already. */
export function keep(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes !== inbox && start === 0 && end === bytes.length) return bytes;
  return copyOf(bytes, start, end);
}

/** Where an encoder writes what goes into the ring at once; the next one overwrites it. */
export class Scratch {
  protected bytes: Buffer = Buffer.alloc(0);
  /** From where on there is room. */
  start = 0;
  /** What is written stays as it is. */
  readonly stays: boolean = false;

  /** A Buffer with room for `length` bytes, `longest` at the most, from `start` on. */
  roomFor(length: number): Buffer {
    if (length > this.bytes.length - this.start) {
      this.bytes = Buffer.allocUnsafeSlow(
        Math.max(longest, Math.min(8 * this.bytes.length, 65_536)),
      );
      this.start = 0;
    }
    return this.bytes;
  }
}

/** Bytes that are worth a copy; what is longer gets a Buffer of its own. */
export const longest = 8192;

/** Records on their way in, as putMany() of the addon wants them. */
export class Batch extends Scratch {
  override readonly stays = true;
  length = 0;
  /** How many of them have been put. */
  put = 0;
  sources: Uint8Array[] = [];
  #table = new Uint32Array(4 * 64);

  /** Type, source, start and end of each record. */
  get table(): Uint32Array {
    return this.#table.subarray(0, 4 * this.length);
  }

  add({ type, bytes, start, end }: Encoded): void {
    const { sources } = this;
    if (sources.at(-1) !== bytes) sources.push(bytes);
    const at = 4 * this.length++;
    if (at === this.#table.length) {
      const larger = new Uint32Array(2 * at);
      larger.set(this.#table);
      this.#table = larger;
    }
    this.#table[at] = type;
    this.#table[at + 1] = sources.length - 1;
    this.#table[at + 2] = start;
    this.#table[at + 3] = end;
  }

  /** The caller may change or detach its bytes while we wait. */
  keep(): void {
    const first = this.#table[4 * this.put + 1]!;
    this.sources = this.sources.map((bytes, i) => (i < first ? bytes : Buffer.from(bytes)));
  }
}
