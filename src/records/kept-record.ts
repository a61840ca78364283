// The record of a put that waits. Meanwhile this thread may encode other items, and the caller may
// write to the item. So the bytes are copied, where that can happen.
import { largestKept } from './batch.js';
import { type Encoded, copyOf } from './mailbox.js';

/** Memory of a record that is in its ring by now: the next one may have it. */
let spare: Uint8Array | undefined;

/** Call done() when the put has ended. */
export class KeptRecord implements Encoded {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly #isCopy: boolean;

  constructor({ type, bytes, start, end }: Encoded, isCopy: boolean) {
    this.type = type;
    this.#isCopy = isCopy;
    this.bytes = isCopy ? copy(bytes, start, end) : bytes;
    this.start = isCopy ? 0 : start;
    this.end = isCopy ? end - start : end;
  }

  done(): void {
    const { length } = this.bytes;
    if (this.#isCopy && length <= largestKept && length > (spare?.length ?? 0)) spare = this.bytes;
  }
}

function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const into = spare;
  if (into === undefined || into.length < end - start) return copyOf(bytes, start, end);
  spare = undefined;
  into.set(bytes.subarray(start, end));
  return into;
}
