// Records: bytes with a type, which is all that the addon moves (native/addon/queue.cc).
import { addon } from './native.js';

/**
 * This thread's mailbox. What a call takes out of a queue is left here, unless it is too large, and stays
 * until the next such call: it is to be decoded or copied before any code of the caller's runs.
 */
export const inbox = Buffer.allocUnsafeSlow(65_536);
/** After getMany(): type, start and end of each record. */
export const table = new Uint32Array(3 * 1024);
/** How the last call went (`moved` in native.ts); type and length, or a count; place and delivery. */
export const answer = new Float64Array(new ArrayBuffer(5 * 8)); // a small one without it might be moved by the collector

addon.useMailbox(inbox, table, answer);

/** A part of some bytes as a Buffer of its own. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}

/** The same for what has been received: a copy only if it is not a Buffer of its own already. */
export function keep(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes !== inbox && start === 0 && end === bytes.length) return bytes;
  const kept = Buffer.allocUnsafe(end - start);
  bytes.copy(kept, 0, start, end);
  return kept;
}

/** Records on their way in, as putMany() of the addon wants them. */
export class Batch {
  length = 0;
  /** How many of them have been put. */
  done = 0;
  readonly sources: Uint8Array[] = [];
  #table = new Uint32Array(4 * 16);
  /** Sources that belong to the caller. */
  readonly #foreign: number[] = [];
  /** Where short records are gathered, and the number of this source. */
  #chunk: Buffer | undefined;
  #chunkSource = 0;
  #used = 0;

  /** Type, source, start and end of each record. */
  get table(): Uint32Array {
    return this.#table.subarray(0, 4 * this.length);
  }

  /** `lent`: the bytes will not stay as they are. */
  add(type: number, bytes: Uint8Array, start: number, end: number, lent: boolean): void {
    const length = end - start;
    if (length < shortRecord) {
      let chunk = this.#chunk;
      if (chunk === undefined || length > chunk.length - this.#used) {
        chunk = Buffer.allocUnsafeSlow(chunk === undefined ? 8192 : 65_536);
        this.#chunk = chunk;
        this.#chunkSource = this.sources.push(chunk) - 1;
        this.#used = 0;
      }
      chunk.set(bytes.subarray(start, end), this.#used);
      this.#row(type, this.#chunkSource, this.#used, this.#used + length);
      this.#used += length;
    } else if (lent) {
      this.#row(type, this.sources.push(copyOf(bytes, start, end)) - 1, 0, length);
    } else {
      const source = this.sources.push(bytes) - 1;
      this.#foreign.push(source);
      this.#row(type, source, start, end);
    }
  }

  #row(type: number, source: number, start: number, end: number): void {
    const at = 4 * this.length++;
    if (at === this.#table.length) {
      const larger = new Uint32Array(2 * at);
      larger.set(this.#table);
      this.#table = larger;
    }
    this.#table[at] = type;
    this.#table[at + 1] = source;
    this.#table[at + 2] = start;
    this.#table[at + 3] = end;
  }

  /** The caller may change or detach its bytes while we wait. */
  keep(): void {
    for (const source of this.#foreign.splice(0)) {
      this.sources[source] = Buffer.from(this.sources[source]!);
    }
  }
}

/** Bytes below which copying costs less than another source. */
const shortRecord = 4096;
