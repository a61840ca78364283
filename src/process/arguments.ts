// The arguments of a Process. They travel as a structured clone, in which objects of holdfast
// arrive as themselves.
//
// First the arguments are copied. In the copy an empty object, called a slot, stands for each
// object of holdfast. Then the copy is cloned, together with the list of slots and the list of
// handles. A structured clone keeps identity. So the receiver finds each slot, wherever it is in
// the arguments, and puts the opened object there. No value of the caller can be mistaken for a
// slot.
import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { attach } from '../objects/attach.js';
import { HeldError, ProcessError } from '../errors.js';
import { HeldGuard } from '../holds/guard.js';
import { type Handle, Shared } from '../objects/shared.js';
import type { KindName } from '../options.js';

type AnyShared = Shared<KindName>;

/** The message to the child. pack() makes it, and unpack() reads it. */
interface Parcel {
  /** The copy of the arguments, with slots in it. */
  readonly args: unknown[];
  readonly slots: object[];
  /** The handle of the object for the slot with the same index. */
  readonly handles: Handle[];
}

/** Arguments that are ready to be sent. */
export interface Packed {
  readonly payload: Buffer;
  /**
   * Closes what keeps the objects open. Until then this process has them open, even if the caller
   * closes its own. Otherwise an anonymous object could end with its last user before the child
   * opens it.
   */
  release(): void;
}

/**
 * Clones arguments for another process.
 *
 * @throws TypeError for a value that cannot be cloned, with the path to it; ProcessError for an
 * object that is gone.
 */
export function pack(args: readonly unknown[]): Packed {
  const copier = new Copier();
  const copy = copier.copy(args);
  const handles = copier.objects.map(({ object }) => object.toJSON());
  const payload = copier.serialize({ args: copy as unknown[], slots: copier.slots, handles });
  const kept: Disposable[] = [];
  const release = () => {
    for (const object of kept.splice(0)) letGo(object);
  };
  try {
    for (const { object, at } of copier.objects) kept.push(keepOpen(object, at));
  } catch (error) {
    release();
    throw error;
  }
  return { payload, release };
}

/**
 * Turns the payload of pack() back into arguments, and opens the objects in them.
 *
 * @throws NotFoundError if one of the objects is gone.
 */
export function unpack(payload: Uint8Array): unknown[] {
  const { args, slots, handles } = deserialize(payload) as Parcel;
  if (slots.length > 0) {
    const objects = handles.map((handle) => attach(handle));
    fill(args, new Map(slots.map((slot, index) => [slot, objects[index]])));
  }
  return args;
}

function keepOpen(object: AnyShared, at: Place): Disposable {
  try {
    return attach(object.toJSON());
  } catch (cause) {
    throw new ProcessError(
      `${show(at)} is a ${object.kind} that no other process can open: it was closed or unlinked`,
      { kind: object.kind, objectName: object.name, cause },
    );
  }
}

function letGo(object: Disposable): void {
  try {
    object[Symbol.dispose]();
  } catch (error) {
    // The caller closed its own object while this thread held the lock, so ours is the last one
    // that is open. If it were closed now, the hold would end while its guard is in use. It is
    // closed when it is collected as garbage.
    if (!(error instanceof HeldError)) throw error;
  }
}

/** The place of a value: a list from the inside out. It becomes text only for an error. */
interface Place {
  readonly within: Place | undefined;
  readonly step: string;
}

function show(place: Place): string {
  const steps = [];
  for (let at: Place | undefined = place; at; at = at.within) steps.push(at.step);
  return steps.reverse().join('');
}

function property(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)
    ? `.${key}`
    : `[${JSON.stringify(key)}]`;
}

function mapKey(key: unknown): string {
  return typeof key === 'string'
    ? JSON.stringify(key)
    : String(Object.prototype.toString.call(key));
}

/** True for a value that a structured clone copies or refuses as a whole. */
function isLeaf(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isBoxedPrimitive(value) ||
    types.isPromise(value) ||
    types.isProxy(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    // Deno does not have this one.
    types.isExternal?.(value) === true
  );
}

/**
 * True for an instance of a class without visible properties, such as a WeakRef. Its content cannot
 * be copied here, so the serializer decides whether it can be cloned.
 */
function isOpaque(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype && Object.keys(value).length === 0;
}

/** Sets a property. An assignment would change the prototype if the key is `__proto__`. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

class Copier {
  readonly objects: { object: AnyShared; at: Place }[] = [];
  readonly slots: object[] = [];
  readonly #copies = new Map<object, object>();
  readonly #visited: { value: object; at: Place }[] = [];
  #filled = 0;

  copy(args: readonly unknown[]): unknown {
    const copy = this.#copy(args, { within: undefined, step: 'args' });
    // A loop and not a recursion, because a caller may nest deeper than the stack allows.
    while (this.#filled < this.#visited.length) {
      const { value, at } = this.#visited[this.#filled++]!;
      this.#fill(value, this.#copies.get(value)!, at);
    }
    return copy;
  }

  #copy(value: unknown, at: Place): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new TypeError(`${show(at)} is a ${typeof value}: it cannot go to another process`);
    }
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const copy = this.#shell(value, at);
    this.#copies.set(value, copy);
    return copy;
  }

  #shell(value: object, at: Place): object {
    if (value instanceof Shared) {
      this.objects.push({ object: value as AnyShared, at });
      const slot = {};
      this.slots.push(slot);
      return slot;
    }
    if (value instanceof HeldGuard) {
      throw new TypeError(
        `${show(at)} is a Guard: it belongs to the thread that acquired it; pass the lock instead`,
      );
    }
    this.#visited.push({ value, at });
    if (isLeaf(value)) return value;
    if (Array.isArray(value)) return Object.assign([], { length: value.length });
    if (types.isMap(value)) return new Map();
    if (types.isSet(value)) return new Set();
    return isOpaque(value) ? value : {};
  }

  #fill(value: object, copy: object, within: Place): void {
    if (copy === value) return;
    if (types.isMap(value)) {
      for (const [key, item] of value) {
        const step = mapKey(key);
        (copy as Map<unknown, unknown>).set(
          this.#copy(key, { within, step: `.keys(${step})` }),
          this.#copy(item, { within, step: `.get(${step})` }),
        );
      }
    } else if (types.isSet(value)) {
      let index = 0;
      for (const item of value) {
        (copy as Set<unknown>).add(this.#copy(item, { within, step: `.values[${index++}]` }));
      }
    } else {
      const isArray = Array.isArray(value);
      for (const [key, item] of Object.entries(value)) {
        const primitive = typeof item !== 'object' && typeof item !== 'function';
        const step =
          primitive && typeof item !== 'symbol' ? '' : isArray ? `[${key}]` : property(key);
        define(copy, key, this.#copy(item, { within, step }));
      }
    }
  }

  serialize(parcel: Parcel): Buffer {
    try {
      return serialize(parcel);
    } catch (cause) {
      const culprit = this.#visited.find(({ value }) => !isCloneable(value));
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new TypeError(
        culprit
          ? `${show(culprit.at)} cannot go to another process: ${reason}`
          : `the arguments cannot go to another process: ${reason}`,
        { cause },
      );
    }
  }
}

/**
 * False if the serializer refuses the value itself. True for a value whose parts Copier has
 * visited, because those are checked one by one.
 */
function isCloneable(value: object): boolean {
  if (!isLeaf(value) && (Object.keys(value).length > 0 || types.isMap(value) || types.isSet(value)))
    return true;
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

/** Replaces each slot by its object. */
function fill(root: object, bySlot: ReadonlyMap<object, unknown>): void {
  const seen = new Set<object>([root]);
  const resolve = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (bySlot.has(value)) return bySlot.get(value);
    seen.add(value); // the loop below visits what is added while it runs
    return value;
  };
  for (const value of seen) {
    if (isLeaf(value)) continue;
    if (types.isMap(value)) {
      const entries = [...value];
      value.clear(); // so that new keys keep the order of the old ones
      for (const [key, item] of entries) value.set(resolve(key), resolve(item));
    } else if (types.isSet(value)) {
      const items = [...value];
      value.clear();
      for (const item of items) value.add(resolve(item));
    } else {
      for (const [key, item] of Object.entries(value)) {
        const replaced = resolve(item);
        if (replaced !== item) define(value, key, replaced);
      }
    }
  }
}
