// What a function has thrown, on its way to another process. An item of a queue keeps the classes
// of an error that structured clone keeps. Here an error also keeps its class, if the reader has a
// class of that name, and its own properties.
import { inspect, types } from 'node:util';
import * as errors from '../errors.js';
import { Scratch } from './batch.js';
import { define } from './value-format.js';
import { ValueReader } from './value-reader.js';
import { ValueWriter } from './value-writer.js';

/** Anything that was thrown, in a form that can be written. */
export type Thrown = { readonly value: unknown } | { readonly error: FlatError };

interface FlatError {
  /** The names of its class and of the classes above that, the nearest first. */
  readonly classes: readonly string[];
  readonly message: string | undefined;
  readonly stack: string | undefined;
  readonly cause: Thrown | undefined;
  /** Those of an AggregateError. */
  readonly errors: readonly Thrown[] | undefined;
  /** Its own enumerable properties, such as `code`. */
  readonly properties: readonly (readonly [key: string, value: Thrown])[];
}

const deepest = 16;
/** Errors may refer to each other: then each of them would come again and again. */
const mostErrors = 1024;
const writer = new ValueWriter('error');
const reader = new ValueReader();

/**
 * Takes apart what was thrown. What cannot be cloned becomes text, and so does an error inside of
 * itself. An object of holdfast becomes its handle. What the error's own code throws meanwhile is
 * left out. The parts can be written: no code of the caller's is in them.
 */
export function flatten(thrown: unknown): Thrown {
  return takeApart(thrown, [], { errors: mostErrors });
}

/** The message of anything that was thrown, to be quoted in another one. */
export function messageOf(thrown: unknown): string {
  const message = attempt(() => (thrown as Error).message);
  if (typeof message === 'string') return message;
  return typeof thrown === 'object' && thrown !== null ? shown(thrown) : asText(thrown);
}

/** `around` are the errors in which this one is; `left` counts how many more there may be. */
function takeApart(thrown: unknown, around: readonly Error[], left: { errors: number }): Thrown {
  if (!types.isNativeError(thrown) || isDomException(thrown)) {
    return { value: cloneOf(thrown) };
  }
  if (around.length > deepest || around.includes(thrown) || left.errors-- <= 0) {
    return { value: asText(thrown) };
  }
  const within = [...around, thrown];
  const inside = (value: unknown) => takeApart(value, within, left);
  const own = <T>(key: string, read: (value: unknown) => T) =>
    Object.hasOwn(thrown, key) ? attempt(() => read(thrown[key as 'cause'])) : undefined;
  const stack = attempt(() => thrown.stack);
  const keys = Object.keys(thrown).filter((key) => !special.has(key));
  const error: FlatError = {
    classes: attempt(() => classNames(thrown)) ?? [],
    message: own('message', String),
    stack: typeof stack === 'string' ? stack : undefined,
    cause: own('cause', inside),
    errors: own('errors', (many) => (Array.isArray(many) ? many.map(inside) : undefined)),
    properties: keys.flatMap((key) => {
      const value = own(key, inside);
      return value === undefined ? [] : [[key, value] as const];
    }),
  };
  return { error };
}

/** Undefined if code of the caller's, such as a getter, throws. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function isDomException(value: Error): boolean {
  return attempt(() => value instanceof DOMException) === true;
}

/** Puts it together again, with these classes, ours, and those of the language. */
export function restore(thrown: Thrown, own: readonly Function[]): unknown {
  if (!('error' in thrown)) return thrown.value;
  const { classes, message, stack, cause, errors: many, properties } = thrown.error;
  const error = new Error(message);
  const ofCaller = (name: string) => own.find((Class) => Class.name === name);
  const known = classes.map((name) => ofCaller(name) ?? ofHoldfast(name) ?? ofLanguage(name));
  const index = known.findIndex((Class) => Class !== undefined);
  const Class = known[index] ?? Error;
  // The class may have code that makes the name, and that cannot read what its constructor writes.
  // So the stack comes first: to replace it, V8 makes the old one, which has the name in it.
  define(error, 'stack', stack, false);
  Object.setPrototypeOf(error, Class.prototype as object);
  if (message === undefined) delete (error as Partial<Error>).message;
  const name = attempt(() => error.name);
  const isOfClass = name === attempt(() => (Class.prototype as Error).name);
  if (name === undefined || (index > 0 && isOfClass)) {
    define(error, 'name', classes[0], false);
  }
  if (cause !== undefined) define(error, 'cause', restore(cause, own), false);
  if (many !== undefined) {
    define(
      error,
      'errors',
      many.map((one) => restore(one, own)),
      false,
    );
  }
  for (const [key, value] of properties) define(error, key, restore(value, own));
  return error;
}

const special = new Set(['message', 'stack', 'cause', 'errors']);

/** A clone; text if it cannot be cloned. */
function cloneOf(value: unknown): unknown {
  try {
    writer.write(value, new Scratch());
    const bytes = writer.bytes.subarray(writer.start, writer.end);
    return reader.read(bytes, 0, bytes.length);
  } catch {
    return shown(value);
  }
}

/** What inspect() makes of it, also if code of its own throws then. */
export function shown(value: unknown): string {
  return attempt(() => inspect(value)) ?? unshown(value);
}

function asText(value: unknown): string {
  return attempt(() => String(value)) ?? unshown(value);
}

function unshown(value: unknown): string {
  return `${typeof value} that cannot be shown`;
}

/** Of an error of another realm, too: the names are asked, and not the classes. */
function classNames(error: Error): string[] {
  const names: string[] = [];
  let prototype = Object.getPrototypeOf(error) as { constructor?: unknown } | null;
  while (prototype !== null && names.length < deepest) {
    const { constructor } = prototype;
    if (typeof constructor === 'function' && Object.hasOwn(prototype, 'constructor')) {
      const name: unknown = constructor.name;
      if (typeof name === 'string' && name !== 'Object') names.push(name);
    }
    prototype = Object.getPrototypeOf(prototype) as typeof prototype;
  }
  return names;
}

function ofHoldfast(name: string): Function | undefined {
  const found = Object.hasOwn(errors, name) ? (errors as Record<string, unknown>)[name] : undefined;
  return isErrorClass(found) ? found : undefined;
}

function ofLanguage(name: string): Function | undefined {
  const found = (globalThis as unknown as Record<string, unknown>)[name];
  return isErrorClass(found) ? found : undefined;
}

/** True for Error and every class that extends it. */
export function isErrorClass(value: unknown): value is Function {
  return (
    typeof value === 'function' &&
    (value === Error || (value.prototype as unknown) instanceof Error)
  );
}
