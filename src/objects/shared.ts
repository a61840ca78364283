// Names, handles and the directory: what all objects share, whatever their kind.
import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { inspect } from 'node:util';
import { brand } from '../brand.js';
import { ClosedError, HeldError, IncompatibleError, NotFoundError, label } from '../errors.js';
import { errorFromNative } from '../native-errors.js';
import type { Native } from '../native/bindings.js';
import { kinds, openFlags } from '../native/enums.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { type KindName, type OpenOptions, checkName } from '../options.js';
import { thisThread } from '../identity.js';
import { type Inspecting, inspectWithout, refusal, uncloneable } from '../uncloneable.js';
import { setTimeout } from '../waiting/clock.js';
import { onWakeUps, rejectAll } from '../waiting/pending-waits.js';

/** The classes whose objects are made of several others. */
export type CompositeName = 'Connection' | 'SharedArray' | 'SharedValue';

/**
 * The JSON form of an object. It travels as JSON, structured clone or text, and attach() turns it
 * into the same object in any process of the same user. A handle does not keep its object alive.
 */
export interface Handle<K extends KindName | CompositeName = KindName | CompositeName> {
  /** The kind of the object. */
  readonly holdfast: K;
  /** The name of the object. */
  readonly name: string;
}

/** @internal */
export const kindNames = Object.fromEntries(
  Object.entries(kinds).map(([name, number]) => [number, name]),
) as Record<number, KindName>;

/** Chosen once in a thread, when it first opens something. */
let directory: string | undefined;

function chooseDirectory(): string {
  const chosen = process.env['HOLDFAST_DIR'] || '';
  if (chosen && !path.isAbsolute(chosen)) {
    throw new TypeError(`HOLDFAST_DIR must be an absolute path, not ${JSON.stringify(chosen)}`);
  }
  return chosen && path.resolve(chosen);
}

/** Bun and Deno name a version of libuv, too, and have no loop of it. */
const hasLibuv = !('bun' in process.versions || 'deno' in process.versions);

/** @internal The copy of this package that enters last is the one that the addon calls. */
export function enterDirectory(): string {
  if (directory !== undefined) return directory;
  const chosen = once('directory', chooseDirectory);
  const thread = thisThread();
  addon.configure(
    chosen,
    thread.threadId,
    thread.processName,
    hasLibuv,
    onWakeUps,
    (code, kind, name, detail, errno, syscall) =>
      errorFromNative(code, kindNames[kind] ?? 'holdfast', name, detail, errno, syscall),
    (message) => process.emitWarning(message, { code: 'ERR_HOLDFAST_REMOVED' }),
  );
  return (directory = chosen || addon.defaultDirectory);
}

/** @internal The file of an object is `object.` and this. 104 bits: collisions do not happen. */
export function fileKey(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 26);
}

/** @internal The options that not every kind has. One that is left out takes its default. */
export interface KindOptions {
  /** Semaphore: its first value. BoundedSemaphore: permits. Barrier: parties. */
  initial?: number | undefined;
  /** What a new object gets for `initial` if that is left out; 1 without it. */
  defaultInitial?: number | undefined;
  /** SharedMemory. */
  bytes?: number | undefined;
  /** Condition: what it goes with; taken as it is if not `given`. */
  lock?: { kind: 'Lock' | 'RLock'; name: string; given: boolean } | undefined;
  /** Queue: left out for the default, or for what an existing queue has. */
  maxItems?: number | undefined;
  maxBytes?: number | undefined;
  codec?: number | undefined;
}

/** @internal In options: the name was made up by this package, and nobody else can know it. */
export const anonymous = Symbol('anonymous');

/** @internal A name that nobody else has. */
export function anonymousName(): string {
  return `anonymous:${randomUUID()}`;
}

/** Opens or makes an object. `options` are as readOpen() returned them. */
function open<K extends KindName>(
  kind: K,
  options: OpenOptions,
  ofKind: KindOptions = {},
): [native: Native<K>, name: string] {
  // Without a prototype, so that nothing that was added to Object.prototype is an option.
  const own = { __proto__: null, ...ofKind } as KindOptions;
  const { initial, defaultInitial = 1, bytes = 0 } = own;
  const { maxItems = 0, maxBytes = 0, codec = 0, lock } = own;
  enterDirectory();
  const name = options.name ?? anonymousName();
  const flags =
    (options.exclusive ? openFlags.exclusive : 0) |
    (options.mustExist ? openFlags.mustExist : 0) |
    (options.persistent ? openFlags.persistent : 0) |
    (options.name === undefined || anonymous in options ? openFlags.anonymous : 0) |
    (initial === undefined ? 0 : openFlags.initialGiven) |
    (lock?.given ? openFlags.lockGiven : 0);
  const native = addon.open(
    kinds[kind],
    name,
    fileKey(name),
    flags,
    initial ?? defaultInitial,
    bytes,
    maxItems,
    maxBytes,
    codec,
    kinds[lock?.kind ?? 'RLock'],
    lock?.name ?? '',
  ) as Native<K>;
  sweepSoon();
  return [native, name];
}

/** The sweep takes at most a tenth of this thread's time: a step of it takes some milliseconds. */
const betweenSteps_ms = 100;
let willSweep = false;

/** Goes on with the sweep that an open has begun. Keeps no process alive. */
function sweepSoon(): void {
  if (willSweep) return;
  willSweep = true;
  setTimeout(() => {
    willSweep = false;
    if (addon.sweep()) sweepSoon();
  }, betweenSteps_ms).unref();
}

/** What every public class that stands on an object inherits: its name, its handle, its end. */
export abstract class Shared<K extends KindName> implements Disposable {
  static {
    brand(this, 'Shared');
  }
  /** The name that it was opened with; a generated one for an anonymous object. */
  readonly name: string;
  /** @internal */
  readonly kind: K;
  /** @internal */
  readonly [uncloneable]: symbol;
  readonly #native: Native<K>;
  #closed = false;
  #retained = 0;

  /** @internal `options` are as readOpen() returned them. */
  constructor(kind: K, options: OpenOptions, ofKind?: KindOptions) {
    this.kind = kind;
    this[uncloneable] = refusal(`a ${kind}: send its toJSON(), and call attach() on what arrives`);
    [this.#native, this.name] = open(kind, options, ofKind);
  }

  /** @internal A getter: everything passes here, and neither console.log nor JSON shows it. */
  get native(): Native<K> {
    if (this.#closed) {
      throw new ClosedError(`${label(this.kind, this.name)}: it was closed`, {
        kind: this.kind,
        objectName: this.name,
      });
    }
    return this.#native;
  }

  /** The handle, which attach() turns into this object in another process. Does not block. */
  toJSON(): Handle<K> {
    return { holdfast: this.kind, name: this.name };
  }

  /** @internal */
  [inspect.custom](...how: Inspecting): string {
    return inspectWithout(this, ...how);
  }

  /**
   * Closes this object in this thread. Waits that were begun through it reject with ClosedError.
   * The object in shared memory is removed with its last user in any process, unless it is
   * persistent. A second call does nothing.
   *
   * Blocks for as long as another process has the directory locked: microseconds, 1 s at the most.
   * After that the object is left for the next sweep, and further calls do not wait for 10 s.
   *
   * @throws HeldError if this thread holds it, and acquired it through this object or has no other
   * object open to it.
   */
  close(): void {
    if (this.#closed) return;
    if (!this.mayClose()) {
      throw new HeldError(
        `${label(this.kind, this.name)}: this thread holds it; release it before you close the object`,
        { kind: this.kind, objectName: this.name },
      );
    }
    rejectAll(this);
    this.#closed = true;
    if (this.#retained === 0) this.#end();
  }

  /** @internal False: this thread holds it, acquired it through this object or has no other. */
  mayClose(): boolean {
    return addon.common.mayClose(this.#native);
  }

  #end(): void {
    addon.common.close(this.#native);
    this.closed();
  }

  /** @internal The native object has been closed. */
  protected closed(): void {}

  /** @internal Has close() not been called yet? */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** @internal Work that has to be brought to an end on the native object, close() or not. */
  protected async retain<T>(work: (native: Native<K>) => Promise<T>): Promise<T> {
    const { native } = this;
    this.#retained++;
    try {
      return await work(native);
    } finally {
      if (--this.#retained === 0 && this.#closed) this.#end();
    }
  }

  /** The same as close(), for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Takes the name away at once. Threads that have the object open keep it. The next open of the
   * name makes a new object. Blocks only while another process has the directory locked.
   *
   * @throws NotFoundError if the name was taken away before.
   */
  unlink(): void {
    addon.common.unlink(this.native);
  }
}

/**
 * Takes a name away without opening the object, as shm_unlink(3) does. Threads that have the object
 * open keep it. It also removes an object that this program cannot open, because its file has
 * another format; `kind` is as list() shows it. Blocks only while another process has the directory
 * locked.
 *
 * @throws NotFoundError if there is no object of that kind and name.
 */
export function unlink(kind: KindName | 'unknown', name: string): void {
  if (kind !== 'unknown') checkKind(kind);
  checkName(name);
  enterDirectory();
  addon.unlink(kind === 'unknown' ? 0 : kinds[kind], name, fileKey(name));
  if (kind === 'Condition') unlinkIfThere('RLock', ownLockName(name));
  if (kind === 'JoinableQueue') unlinkIfThere('JoinableQueue', deadName(name));
  if (kind === 'Semaphore' || kind === 'BoundedSemaphore') {
    unlinkIfThere('Lock', lineName({ kind, name }));
  }
}

/** @internal */
export function unlinkIfThere(kind: KindName, name: string): void {
  try {
    addon.unlink(kinds[kind], name, fileKey(name));
  } catch (error) {
    if (!(error instanceof NotFoundError || error instanceof IncompatibleError)) throw error;
  }
}

/**
 * @internal The name of an object that goes with another one. It is made of a digest of the other's
 * name, because that may be as long as a name can be.
 */
export function nameBeside(what: string, name: string): string {
  return `${what} ${createHash('sha256').update(name).digest('hex')}`;
}

/** @internal The name of the lock that a Condition has of its own. */
export function ownLockName(name: string): string {
  return nameBeside('lock of Condition', name);
}

/**
 * @internal The name of the Lock of those who want several permits of a semaphore at once: see
 * permit-line.ts.
 */
export function lineName({ kind, name }: { kind: string; name: string }): string {
  return nameBeside(`line of ${kind}`, name);
}

/** @internal The name of the dead-letter queue of a JoinableQueue. */
export function deadName(name: string): string {
  return `${name} (dead)`;
}

/** @internal */
export function checkKind(kind: unknown): asserts kind is KindName {
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) {
    throw new TypeError(
      `kind must be one of ${Object.keys(kinds).join(', ')}, not ${String(kind)}`,
    );
  }
}
