import { brand } from '../brand.js';
import { type OpenOptions, readOpen } from '../options.js';
import type { Handle } from './shared.js';
import {
  type ElementOf,
  type ElementType,
  Typed,
  checkType,
  listOf,
  writeInto,
} from './typed-memory.js';

/** The handle of a SharedValue. It also says what the number is. */
export interface SharedValueHandle extends Handle<'SharedValue'> {
  /** What the number is. */
  readonly type: ElementType;
}

/**
 * One number in shared memory, with a lock: Python's `multiprocessing.Value`. Reading `value` and
 * then writing it is two steps, so it needs the lock. It ends as a SharedArray does, and a
 * crash does not change it.
 */
export class SharedValue<K extends ElementType = ElementType> extends Typed<K> {
  static {
    brand(this, 'SharedValue');
  }

  /**
   * Opens the number, or makes it with `initial`; 0 without it. A number that exists keeps its
   * value. With `mustExist` in `options` it must exist. Blocks while another process has the
   * directory or the lock.
   *
   * @throws as SharedArray.
   */
  constructor(type: K, initial?: ElementOf<K>, options: OpenOptions = {}) {
    const read = readOpen(options);
    checkType(type);
    super('SharedValue', type, 1, initial === undefined ? [] : listOf(type, [initial]), read);
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  override toJSON(): SharedValueHandle {
    return { holdfast: 'SharedValue', name: this.name, type: this.type };
  }

  /** The number. Reading and writing it does not block. */
  get value(): ElementOf<K> {
    return this.elements[0] as ElementOf<K>;
  }

  /** Does not block. @throws TypeError for what is no such number. */
  set value(value: ElementOf<K>) {
    const [checked] = listOf(this.type, [value]);
    writeInto(this.elements, [checked!]);
  }
}
