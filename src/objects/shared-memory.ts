import { brand } from '../brand.js';
import { HoldfastError, label } from '../errors.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { posixNameOf } from './posix-name.js';
import { Shared } from './shared.js';
import { type OpenOptions, checkNumber, readOpen } from '../options.js';

const operations = addon.SharedMemory;
/** kObjectLength in native/core/layout.h: header and body. */
const headerBytes = 4096;

/** What `inspect()` shows of a SharedMemory. */
export interface SharedMemoryState {
  /** The class of the object. */
  readonly kind: 'SharedMemory';
  /** The name that it was opened with. */
  readonly name: string;
  /** The number of bytes. */
  readonly size: number;
}

let isAllowed: boolean | undefined; // by the runtime, which does not change its mind

/** Before the bytes are made, so that a refusal leaves nothing behind. */
function checkRuntime(objectName: string): void {
  isAllowed ??= addon.allowsExternalBuffers();
  if (isAllowed) return;
  const message =
    `${label('SharedMemory', objectName)}: this runtime does not let memory of the system become ` +
    'an ArrayBuffer, as Electron does not. Use a Queue for data, or run this code in Node';
  const about = { kind: 'SharedMemory', objectName };
  throw new HoldfastError('ERR_HOLDFAST_UNSUPPORTED', message, about);
}

/**
 * Each buffer keeps its object open, because the buffer can still be used when its SharedMemory was
 * collected.
 */
const kept = new WeakMap<ArrayBuffer, Native<'SharedMemory'>>();

/**
 * A block of bytes that every process and worker thread of the user shares by opening its name. It
 * is shm_open(3) with mmap(2), and Python's `multiprocessing.shared_memory.SharedMemory`. The bytes
 * are zero at first.
 *
 * `buffer` is an ArrayBuffer over the shared bytes themselves: one process stores a byte, and the
 * others can load it. Atomics on a typed array over it are atomic between processes, too. Every
 * other access needs a lock. Atomics.wait() does not work, because it needs a SharedArrayBuffer; use
 * the other classes to wait.
 *
 * The bytes are removed when their last user in any process has closed them or has died, unless
 * they are `persistent`. (In Python they stay.) Their size does not change. A crash changes no byte
 * that was stored before it.
 */
export class SharedMemory extends Shared<'SharedMemory'> {
  static {
    brand(this, 'SharedMemory');
  }
  readonly #buffer: ArrayBuffer;

  /**
   * Opens the bytes, or makes `size` of them, 1 to 4294967296. There is no default: with `size`
   * undefined they must exist, by the name in `options`, and are taken as they are. Blocks while
   * another process has the directory locked, and for as long as the system takes to reserve the
   * space. All of it is reserved at once, so that a later store never fails for lack of space.
   *
   * @throws IncompatibleError if they exist with another size; NoSpaceError if the space cannot be
   * had, and then nothing is left behind; TypeError if neither `size` nor a name is given;
   * NotFoundError if `size` is undefined and the name does not exist; HoldfastError with the code
   * ERR_HOLDFAST_UNSUPPORTED, and nothing is made, in a runtime that forbids buffers over memory of
   * the system, as Electron does. Otherwise as Lock.
   */
  constructor(size: number | undefined, options: OpenOptions = {}) {
    const read = readOpen(options);
    checkNumber('size', size, 1, addon.maxSharedMemory, read);
    checkRuntime(read.name ?? '');
    super('SharedMemory', size === undefined ? { ...read, mustExist: true } : read, {
      bytes: size,
    });
    try {
      this.#buffer = operations.map(this.native);
    } catch (error) {
      this.close();
      throw error;
    }
    kept.set(this.#buffer, this.native);
  }

  /**
   * The bytes. Until close() the mapping stays, even if this object is collected. close() detaches
   * the buffer, and its views become empty. It cannot be transferred to a worker: open the name
   * there.
   *
   * @throws ClosedError after close().
   */
  get buffer(): ArrayBuffer {
    void this.native;
    return this.#buffer;
  }

  /** The number of bytes. Does not block. */
  get size(): number {
    return operations.size(this.native);
  }

  /**
   * The name by which a program in another language opens the same bytes: shm_open(3), or Python's
   * `SharedMemory(name)`. They begin at `posixOffset`. The first read makes the name, which then
   * goes with the object. undefined where there is none: on macOS, and if HOLDFAST_DIR is not in
   * the file system of /dev/shm. If that program unlinks the name, the next read makes it again.
   * Does not block.
   */
  get posixName(): string | undefined {
    void this.native; // closed?
    return posixNameOf(this.name);
  }

  /** Where in the file of `posixName` the bytes begin. */
  get posixOffset(): number {
    void this.native; // closed?
    return headerBytes;
  }

  /**
   * Ends the use in this thread: `buffer` and every view of it become empty. A second
   * call does nothing. Blocks only while another process has the directory locked.
   */
  override close(): void {
    const wasOpen = this.isOpen;
    super.close();
    if (wasOpen && this.#buffer !== undefined) addon.detachBuffer(this.#buffer);
  }

  /** A snapshot of its state. Does not block. */
  inspect(): SharedMemoryState {
    return { kind: this.kind, name: this.name, ...operations.inspect(this.native) };
  }
}
