// Typed views on SharedMemory, with a lock of their own.
//
// The bytes begin with the elements, so that programs in other languages find them at once. Behind
// them is a trailer, which says what they are: a mark, the type, the number of elements. It is
// written under the lock, by whoever opens the memory first, and its mark last.
import { IncompatibleError, label } from '../errors.js';
import { type Guard } from '../holds/guard.js';
import { addon } from '../native/load.js';
import {
  type AcquireOptions,
  type OpenOptions,
  type SyncAcquireOptions,
  checkFunction,
  checkNoPromise,
} from '../options.js';
import { Composite } from './composite.js';
import { RLock } from './rlock.js';
import { anonymousName, nameBeside, unlinkIfThere } from './shared.js';
import { SharedMemory } from './shared-memory.js';

const views = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
const types = Object.keys(views) as ElementType[];

/** What the elements are. `'int64'` and `'uint64'` are BigInts. */
export type ElementType = keyof typeof views;
/** The typed array over elements of a type. */
export type ViewOf<K extends ElementType> = InstanceType<(typeof views)[K]>;
/** One element of a type. */
export type ElementOf<K extends ElementType> = K extends 'int64' | 'uint64' ? bigint : number;

const trailerBytes = 16;
const mark = 0x48465641; // "AVFH" in memory

/** The elements, their lock, and the names of both. */
export abstract class Typed<K extends ElementType> extends Composite<
  'SharedArray' | 'SharedValue'
> {
  /** What the elements are. */
  readonly type: K;
  /**
   * The lock of the elements: an RLock, as in Python. withLock() uses it. It is open as long as
   * this object.
   */
  readonly lock: RLock;
  readonly #memory: SharedMemory;
  readonly #view: ViewOf<K>;

  /** @internal `values` are written into new elements. Without `length` they must exist. */
  constructor(
    kind: 'SharedArray' | 'SharedValue',
    type: K,
    length: number | undefined,
    values: readonly ElementOf<K>[],
    options: OpenOptions,
  ) {
    super(kind, options.name ?? anonymousName());
    this.type = type;
    const { name } = this;
    const View = views[type];
    const room = length === undefined ? undefined : bytesFor(View, length);
    this.#memory = new SharedMemory(room, { ...options, name });
    try {
      this.lock = new RLock({ name: lockName(name) });
    } catch (error) {
      this.#memory.close();
      throw error;
    }
    try {
      const guard = this.lock.acquireSync();
      try {
        const found = describe(this, this.#memory, length);
        this.#view = new View(this.#memory.buffer, 0, found.length) as ViewOf<K>;
        if (found.isNew) {
          writeInto(this.#view, values);
          found.finish();
        }
      } finally {
        guard.release();
      }
    } catch (error) {
      this.closeParts();
      throw error;
    }
  }

  /** @internal */
  protected get elements(): ViewOf<K> {
    this.checkOpen();
    return this.#view;
  }

  /** @internal */
  protected get memory(): SharedMemory {
    this.checkOpen();
    return this.#memory;
  }

  /**
   * Acquires the lock, calls `fn`, and releases when its result has settled. Resolves to that
   * result. Never blocks the event loop. Waits and rejects as RLock.runExclusive() does;
   * `guard.abandoned` says that the last holder died inside, so the elements may be half changed.
   */
  async withLock<T>(
    fn: (guard: Guard) => T | Promise<T>,
    options?: AcquireOptions,
  ): Promise<Awaited<T>> {
    this.checkOpen();
    return this.lock.runExclusive(fn, options);
  }

  /**
   * The same, blocking this thread. `fn` must not return a promise.
   *
   * @throws as RLock.acquireSync() does; what `fn` throws.
   */
  withLockSync<T>(fn: (guard: Guard) => T, options?: SyncAcquireOptions): T {
    this.checkOpen();
    checkFunction('fn', fn);
    const guard = this.lock.acquireSync(options);
    try {
      return checkNoPromise('withLockSync() was given a function', fn(guard));
    } finally {
      guard.release();
    }
  }

  /** As posixName of a SharedMemory. */
  get posixName(): string | undefined {
    return this.memory.posixName;
  }

  /** Where in the file of `posixName` the elements begin, in bytes. */
  get posixOffset(): number {
    return this.memory.posixOffset;
  }

  /** @internal */
  protected override closeParts(): void {
    this.lock.close();
    this.#memory.close();
  }

  /**
   * Takes the name away. Those who have it open keep it.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  unlink(): void {
    this.memory.unlink();
    unlinkIfThere('RLock', lockName(this.name));
  }
}

// ---------------------------------------------------------------- arguments

export function checkType(type: unknown): asserts type is ElementType {
  if (typeof type !== 'string' || !types.includes(type as ElementType)) {
    throw new TypeError(`type must be one of ${types.join(', ')}, not ${String(type)}`);
  }
}

export function checkNamed(what: string, options: OpenOptions): void {
  if (options.name !== undefined) return;
  throw new TypeError(`${what} must be given: only an object that exists has one`);
}

function isBig(type: ElementType): boolean {
  return type === 'int64' || type === 'uint64';
}

export function listOf<K extends ElementType>(
  type: K,
  values: Iterable<ElementOf<K>>,
): ElementOf<K>[] {
  if (typeof Object(values)[Symbol.iterator] !== 'function') {
    throw new TypeError('length must be a number or an iterable of elements');
  }
  const list = [...values];
  const wanted = isBig(type) ? 'bigint' : 'number';
  for (const value of list) {
    if (typeof value !== wanted) {
      throw new TypeError(`an element of type ${type} is a ${wanted}, not ${String(value)}`);
    }
  }
  return list;
}

export function writeInto(view: ViewOf<ElementType>, values: readonly (number | bigint)[]): void {
  const elements = view as unknown as { [index: number]: number | bigint };
  for (const [index, value] of values.entries()) elements[index] = value;
}

export function longest(type: ElementType): number {
  const { BYTES_PER_ELEMENT } = views[type];
  return Math.floor((addon.maxSharedMemory - trailerBytes - 8) / BYTES_PER_ELEMENT);
}

function bytesFor({ BYTES_PER_ELEMENT }: { BYTES_PER_ELEMENT: number }, length: number): number {
  return Math.ceil((length * BYTES_PER_ELEMENT) / 8) * 8 + trailerBytes;
}

// ---------------------------------------------------------------- the trailer

/** Reads the trailer, or prepares to write it. The caller holds the lock. */
function describe(
  { kind, name, type }: { kind: string; name: string; type: ElementType },
  memory: SharedMemory,
  wanted: number | undefined,
): { isNew: boolean; length: number; finish(): void } {
  const refuse = (why: string) =>
    new IncompatibleError(`${label(kind, name)}: ${why}`, { kind, objectName: name });
  const { size, buffer } = memory;
  if (size < trailerBytes || size % 8 !== 0) throw refuse('the memory of that name is no array');
  const words = new Uint32Array(buffer, size - trailerBytes, 2);
  const counts = new Float64Array(buffer, size - 8, 1);
  const number = types.indexOf(type) + 1;
  if (words[0] !== mark) {
    if (wanted === undefined) throw refuse('the memory of that name is no array');
    const finish = () => {
      words[1] = number;
      counts[0] = wanted;
      words[0] = mark;
    };
    return { isNew: true, length: wanted, finish };
  }
  const length = counts[0]!;
  if (words[1] !== number) throw refuse(`its type is ${types[words[1]! - 1] ?? 'unknown'}`);
  const fits = Number.isInteger(length) && length > 0 && bytesFor(views[type], length) === size;
  if (!fits || (wanted !== undefined && wanted !== length)) throw refuse(`its length is ${length}`);
  return { isNew: false, length, finish: () => {} };
}

function lockName(name: string): string {
  return nameBeside('lock of SharedArray', name);
}
