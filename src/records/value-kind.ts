// What a value is, where the writer has to ask for it in a roundabout way.
import { types } from 'node:util';

/** Has it neither holes nor names? */
export function isList(array: readonly unknown[]): boolean {
  const { length } = array;
  // The indices come first. So if there are as many keys as items, and the last is an index, each
  // is.
  const keys = Object.keys(array);
  return keys.length === length && (length === 0 || keys[length - 1] === `${length - 1}`);
}

/** The primitive value of an object of any realm that stands for one. */
export function unboxed(value: object): unknown {
  for (const Class of [Number, String, Boolean, BigInt, Symbol]) {
    try {
      return (Class.prototype as { valueOf(): unknown }).valueOf.call(value);
    } catch {
      // It stands for a value of another type.
    }
  }
  return undefined;
}

/** Does structured clone refuse it, although it has properties like an instance of a class? */
export function isOdd(value: object): boolean {
  return (
    types.isArgumentsObject(value) ||
    types.isModuleNamespaceObject(value) ||
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value)
  );
}
