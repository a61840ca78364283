// What a check expects. node:assert is there on every runtime, and differs in its messages.
import assert from 'node:assert/strict';

export const { equal, deepEqual, ok } = assert;

/** Must throw an error of that class. */
export function throws(type, fn) {
  try {
    fn();
  } catch (error) {
    if (error instanceof type) return error;
    throw new Error(`threw ${error} instead of ${type.name}`, { cause: error });
  }
  throw new Error(`threw nothing instead of ${type.name}`);
}

/** Must reject with an error of that class. */
export async function rejects(type, promise) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof type) return error;
    throw new Error(`rejected with ${error} instead of ${type.name}`, { cause: error });
  }
  throw new Error(`did not reject with ${type.name}`);
}

let count = 0;

/** A name that no other check has. */
export function freshName() {
  return `smoke ${++count}`;
}
