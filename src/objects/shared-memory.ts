import type { NativeSharedMemory } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { Shared } from './shared.js';
import { type OpenOptions, checkNumber, checkOpen } from '../options.js';

/** What `inspect()` shows of a SharedMemory. */
export interface SharedMemoryState {
  /** The class of the object. */
  readonly kind: 'SharedMemory';
  /** The name that it was opened with. */
  readonly name: string;
  /** How many bytes. */
  readonly size: number;
}

/** The bytes can be reached through a buffer after its SharedMemory was collected: they keep it open. */
const kept = new WeakMap<ArrayBuffer, NativeSharedMemory>();

/**
 * Bytes that are the same in every process and worker thread of the user that opens their name; what
 * shm_open(3) and mmap(2) give, like Python's `multiprocessing.shared_memory.SharedMemory`. They are zero
 * when made.
 *
 * `buffer` is the mapping itself: what one process stores another loads, without a copy. Atomics on a
 * typed array over it are atomic between processes, too. Atomics.wait() wants a SharedArrayBuffer, which
 * this is not; use the other classes to wait. Everything but Atomics needs a lock around it.
 *
 * Unlike in Python the bytes go with their last user in any process, crashed or not, unless they are
 * `persistent`. Their size does not change.
 */
export class SharedMemory extends Shared<'SharedMemory'> {
  readonly #buffer: ArrayBuffer;

  /**
   * Opens the bytes, or makes `size` of them, 1 to 4294967296. Blocks while another process has the
   * directory locked, and for as long as the system takes to reserve the space.
   *
   * @throws IncompatibleError if they exist with another size. With `size` undefined they are taken as they
   * are, and must exist: NotFoundError. NoSpaceError, and nothing is left, if the space is not to be had:
   * a later store never fails for lack of it. Otherwise as Lock.
   */
  constructor(size: number | undefined, options: OpenOptions = {}) {
    checkOpen(options);
    checkNumber('size', size, 1, addon.maxSharedMemory, options);
    super('SharedMemory', size === undefined ? { ...options, mustExist: true } : options, {
      bytes: size,
    });
    try {
      this.#buffer = this.native.map();
    } catch (error) {
      this.close();
      throw error;
    }
    kept.set(this.#buffer, this.native);
  }

  /**
   * The bytes. close() detaches it, so that its views have no bytes any more; until then the mapping stays,
   * whatever becomes of this object. It cannot be transferred to a worker: open the name there.
   *
   * @throws ClosedError after close().
   */
  get buffer(): ArrayBuffer {
    void this.native;
    return this.#buffer;
  }

  /** How many bytes. */
  get size(): number {
    return this.native.size;
  }

  /** Takes the bytes out of reach of this thread: every view of `buffer` becomes empty. Idempotent. */
  override close(): void {
    const native = this.isOpen ? this.native : undefined;
    super.close();
    if (native !== undefined && this.#buffer !== undefined) native.detach(this.#buffer);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): SharedMemoryState {
    return { kind: this.kind, name: this.name, ...this.native.inspect() };
  }
}
