// The functions that the workers run.

export function nothing() {}

export function lengthOf(buffer) {
  return buffer.length;
}
