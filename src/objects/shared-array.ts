import { brand } from '../brand.js';
import { type OpenOptions, checkCount, readOpen } from '../options.js';
import type { Handle } from './shared.js';
import {
  type ElementOf,
  type ElementType,
  Typed,
  type ViewOf,
  checkNamed,
  checkType,
  listOf,
  longest,
} from './typed-memory.js';

/** The handle of a SharedArray. It also says what the elements are. */
export interface SharedArrayHandle extends Handle<'SharedArray'> {
  /** What the elements are. */
  readonly type: ElementType;
}

/**
 * Numbers in shared memory, with a lock: Python's `multiprocessing.Array`. `view` is a typed array
 * over the shared bytes themselves. One store of an element is whole, except that of 64 bits on a
 * 32-bit machine. Whatever reads and then writes needs the lock.
 *
 * The elements are removed when their last user in any process has closed them or has died, unless
 * they are `persistent`. A crash changes no element that was stored before it.
 */
export class SharedArray<K extends ElementType = ElementType> extends Typed<K> {
  static {
    brand(this, 'SharedArray');
  }

  /**
   * Opens the elements, or makes them: so many zeros, or those of an array. With `length` undefined
   * they must exist, by the name in `options`; then values are not written. Blocks while another
   * process has the directory or the lock.
   *
   * @throws IncompatibleError if they exist with another type or length; NotFoundError if `length`
   * is undefined and the name does not exist; TypeError or RangeError for wrong arguments.
   * Otherwise as SharedMemory.
   */
  constructor(
    type: K,
    length: number | Iterable<ElementOf<K>> | undefined,
    options: OpenOptions = {},
  ) {
    const read = readOpen(options);
    checkType(type);
    const values = typeof length === 'number' || length === undefined ? [] : listOf(type, length);
    const count = typeof length === 'number' || length === undefined ? length : values.length;
    if (count !== undefined) checkCount('length', count, 1, longest(type));
    else checkNamed('length', read);
    super('SharedArray', type, count, values, read);
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): SharedArrayHandle {
    return { holdfast: 'SharedArray', name: this.name, type: this.type };
  }

  /** The number of elements. */
  get length(): number {
    return this.elements.length;
  }

  /**
   * The elements. close() empties it. It cannot be transferred to a worker: open the name there.
   *
   * @throws ClosedError after close().
   */
  get view(): ViewOf<K> {
    return this.elements;
  }
}
