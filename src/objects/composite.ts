// Objects that are made of several objects in shared memory.
import { inspect } from 'node:util';
import { brand } from '../brand.js';
import { ClosedError, label } from '../errors.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import type { CompositeName, Handle } from './shared.js';

/** What a Connection, a SharedArray and a SharedValue have in common: a name, a handle, an end. */
export abstract class Composite<K extends CompositeName> implements Disposable {
  static {
    brand(this, 'Composite');
  }
  /** The name that it was opened with; a generated one for an anonymous object. */
  readonly name: string;
  /** @internal */
  readonly kind: K;
  /** @internal */
  readonly [uncloneable]: symbol;
  #isOpen = true;

  /** @internal */
  constructor(kind: K, name: string) {
    this.kind = kind;
    this.name = name;
    this[uncloneable] = refusal(`a ${kind}: send its toJSON(), and call attach() on what arrives`);
  }

  /** @internal Has close() not been called yet? */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @internal Throws ClosedError after close(). */
  protected checkOpen(): void {
    if (this.#isOpen) return;
    const { kind, name } = this;
    throw new ClosedError(`${label(kind, name)}: it was closed`, { kind, objectName: name });
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  toJSON(): Handle<K> {
    return { holdfast: this.kind, name: this.name };
  }

  /** @internal */
  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }

  /** @internal Closes what it is made of. */
  protected abstract closeParts(): void;

  /**
   * Closes this object in this thread. What it is made of in shared memory is removed with its last
   * user in any process. A second call does nothing. Blocks only while another process has the
   * directory locked.
   *
   * @throws HeldError if this thread holds its lock.
   */
  close(): void {
    if (!this.#isOpen) return;
    this.closeParts();
    this.#isOpen = false;
  }

  /** The same as close(), for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
