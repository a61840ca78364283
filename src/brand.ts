// `instanceof` across copies of this package. A test runner loads modules again for each test file,
// and a tree of dependencies may have two versions. Each copy has classes of its own, and treats
// the instances of the other copies as its own.

function markOf(name: string): symbol {
  return Symbol.for(`holdfast.${name}`);
}

/** Is it an instance of the class that has this brand, of any copy of this package? */
export function hasBrand(value: object, name: string): boolean {
  return markOf(name) in value;
}

/**
 * Makes `instanceof Class` true for each object that the class of that name made in any copy of
 * this package, in any realm. A class that extends it uses its prototype, as usual.
 */
export function brand(Class: Function, name: string): void {
  const mark = markOf(name);
  Object.defineProperty(Class.prototype, mark, { value: true });
  Object.defineProperty(Class, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // A class that extends it inherits this function.
      if (this !== Class)
        return Function.prototype[Symbol.hasInstance].call(this as Function, value);
      return typeof value === 'object' && value !== null && mark in value;
    },
  });
}
