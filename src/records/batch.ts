// Memory for encoders to write to: for one record that goes into the ring at once, or for many.
import type { Encoded } from './mailbox.js';

/** A longer item gets a Buffer of its own, because a copy of it would cost more. */
export const longestCopied = 8192;

/** A larger Buffer is not kept for the records that come. */
export const largestKept = 1 << 20;

/** Room for one record. The next encoder overwrites it. */
export class Scratch {
  protected bytes: Buffer = Buffer.alloc(0);
  /** From here on the memory is free. */
  start = 0;
  /** True if what has been written stays as it is. Then the next record begins after it. */
  readonly stays: boolean = false;

  /** Are these bytes in the memory that the next encoder overwrites? */
  holds(bytes: Uint8Array): boolean {
    return bytes === this.bytes;
  }

  /** Returns a Buffer with room for `length` bytes, at most `longestCopied`, from `start` on. */
  roomFor(length: number): Buffer {
    const tooLarge = !this.stays && this.bytes.length > largestKept;
    if (tooLarge || length > this.bytes.length - this.start) {
      const size = tooLarge
        ? longestCopied
        : Math.max(longestCopied, Math.min(8 * this.bytes.length, 65_536));
      this.bytes = this.allocate(size);
      this.start = 0;
    }
    return this.bytes;
  }

  protected allocate(size: number): Buffer {
    return Buffer.allocUnsafeSlow(size);
  }

  /**
   * For a record from `start` to `end` that needs `length` bytes more: a larger Buffer with a copy
   * of it, and `start` in that.
   */
  grow(end: number, length: number): Buffer {
    const used = end - this.start;
    const larger = this.allocate(Math.max(longestCopied, 2 * (used + length)));
    larger.set(this.bytes.subarray(this.start, end));
    this.start = 0;
    return (this.bytes = larger);
  }
}

/** The records of one putMany(), in the form in which the addon takes them. */
export class Batch extends Scratch {
  override readonly stays = true;
  /** How many records there are. */
  length = 0;
  /** How many of them have been put. */
  put = 0;
  /** The Buffers in which the records are. */
  sources: Uint8Array[] = [];
  #table = new Uint32Array(4 * 64);

  /** Type, source (an index), start and end of each record. */
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

  /**
   * Copies the records that are not put yet, because the caller may change or detach their bytes
   * while the put waits.
   */
  keep(): void {
    const first = this.#table[4 * this.put + 1]!;
    this.sources = this.sources.map((bytes, i) => (i < first ? bytes : Buffer.from(bytes)));
  }
}
