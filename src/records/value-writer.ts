// A value into bytes, as value-format.ts says. What arrives is what structured clone makes of it.
import { types } from 'node:util';
import { serialize } from 'node:v8';
import { hasBrand } from '../brand.js';
import { refusalOf } from '../uncloneable.js';
import type { Scratch } from './batch.js';
import { followsLength, hasNoBytes, isResizable } from './following-views.js';
import {
  BuiltInDate,
  errorClasses,
  hasReferences,
  shortestNumbers,
  tag,
  viewClasses,
} from './value-format.js';
import { ByteWriter } from './value-bytes.js';
import { shapeToWrite } from './shape.js';
import { isList, isOdd, unboxed } from './value-kind.js';
import { Place } from './value-place.js';

/** How many objects are looked for one by one. A Map is faster for more. */
const fewObjects = 32;
/** A reader needs stack for each, so more of them could be written and not be read. */
const deepest = 1000;

const cannotGo = 'cannot go to another process';
const { toString, hasOwnProperty } = Object.prototype;
const viewName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** An object of this package, of any copy of it. */
export interface Traveller {
  toJSON(): object;
}

/** The brands of what travels by its handle. */
const travellers = ['Shared', 'Composite', 'LockManager'];

/**
 * Writes values. Getters of a value run meanwhile, and must not write another one.
 *
 * What something is, is asked of the engine (node:util's types) and never of a prototype, because
 * values of another realm have prototypes of their own.
 */
export class ValueWriter extends ByteWriter {
  #flags = 0;
  /** How many objects have a number. */
  #objects = 0;
  /** The objects by number: the first few. */
  readonly #few: (object | undefined)[] = [];
  /** All of them, if they are more. */
  readonly #many = new Map<object, number>();
  readonly #place: Place;
  readonly #meet: ((object: Traveller, place: string) => void) | undefined;

  /**
   * `root` is what errors call the value, or what is so many steps inside of it. With `meet` the
   * reader opens the objects of this package in it; without it they arrive as their handles.
   */
  constructor(root: string, meet?: (object: Traveller, place: string) => void, steps = 0) {
    super();
    this.#place = new Place(root, steps);
    this.#meet = meet;
  }

  /**
   * Writes a value behind `into.start`: `bytes`, `start` and `end` say where it is then.
   *
   * @throws TypeError for what cannot be cloned; what a getter throws.
   */
  write(value: unknown, into: Scratch): void {
    this.begin(into);
    this.#flags = 0;
    try {
      this.byte(0);
      this.#entry(value);
      this.bytes[this.start] = this.#flags;
    } finally {
      this.#forget();
    }
  }

  #entry(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return this.number(value);
      case 'boolean':
        return this.byte(value ? tag.true : tag.false);
      case 'undefined':
        return this.byte(tag.undefined);
      case 'bigint':
        return this.bigint(value);
      case 'object':
        return value === null ? this.byte(tag.null) : this.#object(value);
      default:
        throw this.#refusal(` is a ${typeof value}: it ${cannotGo}`);
    }
  }

  // The path

  #enter(): void {
    if (this.#place.enter() > deepest) {
      throw this.#refuse(`it is nested more than ${deepest} deep`);
    }
  }

  #refuse(reason: string, cause?: unknown): TypeError {
    return this.#refusal(` ${cannotGo}: ${reason}`, cause);
  }

  #refusal(what: string, cause?: unknown): TypeError {
    const place = this.#place.show();
    const shown = place.length > 300 ? `${place.slice(0, 300)}\u2026` : place;
    return new TypeError(shown + what, cause === undefined ? undefined : { cause });
  }

  #object(value: object): void {
    if (this.#refers(value)) return;
    if (types.isProxy(value)) throw this.#refuse('a Proxy cannot be cloned');
    if (Array.isArray(value)) return this.#array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (
      (prototype === Object.prototype || prototype === null) &&
      toString.call(value) === '[object Object]'
    ) {
      const keys = Object.keys(value);
      if (keys.length > 0) return this.#properties(value, keys);
    }
    this.#special(value);
  }

  /** Writes a reference to an object that was written before. Otherwise gives it its number. */
  #refers(value: object): boolean {
    const number = this.#numberOf(value);
    if (number === this.#objects) {
      this.#objects++;
      return false;
    }
    this.#flags |= hasReferences;
    this.byte(tag.reference);
    this.length(number);
    return true;
  }

  /** Returns the number of an object. One that has none yet gets the next number. */
  #numberOf(value: object): number {
    const [few, objects] = [this.#few, this.#objects];
    if (objects < fewObjects) {
      for (let i = 0; i < objects; i++) if (few[i] === value) return i;
      few[objects] = value;
      return objects;
    }
    const many = this.#many;
    if (objects === fewObjects) few.forEach((object, i) => many.set(object!, i));
    const number = many.get(value);
    if (number !== undefined) return number;
    many.set(value, objects);
    return objects;
  }

  /** Forgets all objects of the caller, so that none is kept alive. */
  #forget(): void {
    for (let i = Math.min(this.#objects, fewObjects) - 1; i >= 0; i--) this.#few[i] = undefined;
    if (this.#objects >= fewObjects) this.#many.clear();
    this.#objects = 0;
    this.#place.reset();
  }

  #properties(value: object, keys: string[]): void {
    const shape = shapeToWrite(keys);
    if (shape === undefined) {
      this.byte(tag.object);
      return this.#named(value, keys);
    }
    this.byte(tag.shape);
    this.words(shape.words);
    this.#enter();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      this.#place.at(key);
      this.#entry((value as Record<string, unknown>)[key]);
    }
    this.#place.leave();
  }

  #named(value: object, keys: string[]): void {
    this.length(keys.length);
    this.#enter();
    for (const key of keys) {
      this.#place.at(key);
      this.text(key);
      this.#entry((value as Record<string, unknown>)[key]);
    }
    this.#place.leave();
  }

  #array(array: readonly unknown[]): void {
    const { length } = array;
    if (!isList(array)) {
      this.byte(tag.sparseArray);
      this.length(length);
      return this.#named(array, Object.keys(array));
    }
    let i = 0;
    let item = length > 0 ? array[0] : undefined;
    if (length >= shortestNumbers && typeof item === 'number') {
      ({ count: i, next: item } = this.numbers(array, item));
    } else {
      this.byte(tag.array);
      this.length(length);
    }
    this.#enter();
    while (i < length) {
      this.#place.at(i);
      this.#entry(item);
      if (++i < length) item = array[i];
    }
    this.#place.leave();
  }

  /** Writes an object that is not plain, or has no properties. */
  #special(value: object): void {
    if (types.isDate(value)) {
      this.byte(tag.date);
      this.double(BuiltInDate.prototype.getTime.call(value));
    } else if (ArrayBuffer.isView(value)) {
      this.#viewOf(value);
    } else if (types.isMap(value) || types.isSet(value)) {
      this.#collection(value);
    } else if (types.isAnyArrayBuffer(value)) {
      this.#arrayBuffer(value);
    } else if (types.isRegExp(value)) {
      this.byte(tag.regexp);
      this.text(value.source);
      this.text(value.flags);
    } else if (value instanceof DOMException) {
      // Before errors: since Node 22 it is a native error as well.
      this.#domException(value);
    } else if (types.isNativeError(value)) {
      this.#error(value);
    } else if (types.isBoxedPrimitive(value)) {
      this.byte(tag.boxed);
      this.#entry(unboxed(value));
    } else {
      this.#instance(value);
    }
  }

  #domException(value: DOMException): void {
    this.byte(tag.domException);
    this.text(value.name);
    this.text(value.message);
    this.#stack(value);
  }

  #instance(value: object): void {
    if (travellers.some((name) => hasBrand(value, name))) {
      this.#traveller(value as Traveller);
    } else {
      const refused = refusalOf(value);
      if (refused !== undefined) throw this.#refusal(` is ${refused}`);
      // A class of the caller's, or one that cannot be cloned: only the engine knows which.
      const keys = Object.keys(value);
      if (keys.length === 0 || isOdd(value)) this.#ask(value);
      this.#properties(value, keys);
    }
  }

  #traveller(object: Traveller): void {
    const handle = object.toJSON();
    if (this.#meet === undefined) return this.#properties(handle, Object.keys(handle));
    this.#meet(object, this.#place.show());
    this.byte(tag.traveller);
    this.#object(handle);
  }

  #ask(value: object): void {
    try {
      serialize(value);
    } catch (cause) {
      throw this.#refuse((cause as Error).message.split('\n', 1)[0]!, cause);
    }
  }

  #collection(value: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): void {
    // Reads all entries first, because a getter may add some while the others are written.
    const isMap = types.isMap(value);
    const entries: [unknown, unknown][] = [];
    const add = (item: unknown, key: unknown) => entries.push([key, item]);
    (isMap ? Map : Set).prototype.forEach.call(value as never, add);
    this.byte(isMap ? tag.map : tag.set);
    this.length(entries.length);
    this.#enter();
    let index = 0;
    for (const [key, item] of entries) {
      if (isMap) {
        this.#place.at(['keys', key]);
        this.#entry(key);
      }
      this.#place.at(isMap ? ['get', key] : ['values', index++]);
      this.#entry(item);
    }
    this.#place.leave();
  }

  #error(error: Error): void {
    const name = String(error.name);
    const index = errorClasses.indexOf(name as 'Error');
    const isAggregate = name === 'AggregateError' && hasOwn(error, 'errors');
    this.byte(tag.error);
    this.length(Math.max(0, index));
    this.#enter();
    if (hasOwn(error, 'message')) this.text(String(error.message));
    else this.byte(tag.absent);
    this.#stack(error);
    this.#ownEntry(error, 'cause', hasOwn(error, 'cause'));
    this.#ownEntry(error, 'errors', isAggregate);
    this.#place.leave();
  }

  #ownEntry(error: Error, key: string, has: boolean): void {
    this.#place.at(key);
    if (has) this.#entry((error as unknown as Record<string, unknown>)[key]);
    else this.byte(tag.absent);
  }

  #stack({ stack }: { stack?: unknown }): void {
    if (typeof stack === 'string') this.text(stack);
    else this.byte(tag.absent);
  }

  // Binary data

  #arrayBuffer(buffer: ArrayBufferLike): void {
    if (types.isSharedArrayBuffer(buffer)) {
      throw this.#refuse('only the threads of one process share a SharedArrayBuffer');
    }
    // TypeScript's libraries for ES2023 do not know these two.
    const { resizable, maxByteLength } = buffer as { resizable?: boolean; maxByteLength?: number };
    const bytes = this.#bytesOf(buffer);
    this.byte(resizable ? tag.resizableArrayBuffer : tag.arrayBuffer);
    if (resizable) this.length(maxByteLength!);
    this.copy(bytes);
  }

  #bytesOf(buffer: ArrayBuffer): Uint8Array {
    try {
      return new Uint8Array(buffer);
    } catch (cause) {
      throw this.#refuse('the ArrayBuffer was detached', cause);
    }
  }

  #viewOf(view: ArrayBufferView): void {
    if (view instanceof Buffer) {
      if (view.length === 0 && hasNoBytes(view)) {
        throw this.#refuse(
          'its ArrayBuffer was detached, or the Buffer reaches beyond the end of it',
        );
      }
      this.byte(tag.buffer);
      return this.copy(view);
    }
    const name = (viewName.call(view) ?? 'DataView') as 'DataView';
    const index = viewClasses.indexOf(name);
    if (index < 0) throw this.#refuse(`no ${name} can be read`);
    const follows = this.#followsLength(view);
    this.byte(follows ? tag.followingView : tag.view);
    this.length(index);
    this.length(view.byteOffset);
    if (!follows) {
      this.length(name === 'DataView' ? view.byteLength : (view as Uint8Array).length);
    }
    this.#enter();
    this.#place.at('buffer');
    this.#object(view.buffer);
    this.#place.leave();
  }

  #followsLength(view: ArrayBufferView): boolean {
    if (!isResizable(view)) return false;
    this.#bytesOf(view.buffer as ArrayBuffer); // is it there?
    try {
      return followsLength(view);
    } catch (cause) {
      throw this.#refuse('the view reaches beyond the end of its ArrayBuffer', cause);
    }
  }
}

function hasOwn(value: object, key: string): boolean {
  return hasOwnProperty.call(value, key);
}
