// What a function has thrown, on its way to another process. An item of a queue keeps the classes
// of an error that structured clone keeps. Here an error also keeps its class, if the reader has a
// class of that name, and its own properties.
import { inspect, types } from 'node:util';
import * as errors from '../errors.js';
import { Scratch } from './batch.js';
import { define } from './value-format.js';
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

/**
 * Takes apart what was thrown. What cannot be cloned becomes text, and so does an error inside of
 * itself.
 */
export function flatten(thrown: unknown): Thrown {
  return takeApart(thrown, [], { errors: mostErrors });
}

/** `around` are the errors in which this one is; `left` counts how many more there may be. */
function takeApart(thrown: unknown, around: readonly Error[], left: { errors: number }): Thrown {
  if (!types.isNativeError(thrown) || thrown instanceof DOMException) {
    return { value: cloneable(thrown) };
  }
  if (around.length > deepest || around.includes(thrown) || left.errors-- <= 0) {
    return { value: String(thrown) };
  }
  const within = [...around, thrown];
  const inside = (value: unknown) => takeApart(value, within, left);
  const { message, stack, cause } = thrown;
  const many = (thrown as Partial<AggregateError>).errors;
  const keys = Object.keys(thrown).filter((key) => !special.has(key));
  const error: FlatError = {
    classes: classNames(thrown),
    message: Object.hasOwn(thrown, 'message') ? String(message) : undefined,
    stack: typeof stack === 'string' ? stack : undefined,
    cause: Object.hasOwn(thrown, 'cause') ? inside(cause) : undefined,
    errors: Array.isArray(many) && Object.hasOwn(thrown, 'errors') ? many.map(inside) : undefined,
    properties: keys.flatMap((key) =>
      readable(() => [[key, inside((thrown as never)[key])] as const]),
    ),
  };
  return { error };
}

/** Leaves out a property whose getter throws. */
function readable<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read();
  } catch {
    return [];
  }
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
  Object.setPrototypeOf(error, Class.prototype as object);
  if (message === undefined) delete (error as Partial<Error>).message;
  define(error, 'stack', stack, false);
  if (index > 0 && error.name === (Class.prototype as Error).name) {
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

function cloneable(value: unknown): unknown {
  try {
    writer.write(value, new Scratch());
    return value;
  } catch {
    return shown(value);
  }
}

function shown(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return `${typeof value} that cannot be shown`; // code of its own threw
  }
}

/** Of an error of another realm, too: the names are asked, and not the classes. */
function classNames(error: Error): string[] {
  const names: string[] = [];
  let prototype = Object.getPrototypeOf(error) as { constructor?: unknown } | null;
  while (prototype !== null && names.length < deepest) {
    const { constructor } = prototype;
    if (typeof constructor === 'function' && Object.hasOwn(prototype, 'constructor')) {
      if (constructor.name !== 'Object') names.push(constructor.name);
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
