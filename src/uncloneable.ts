// Structured clone makes a plain object of an instance of a class, and tells nobody. A lock in a
// message or in `workerData` would arrive as `{ name, kind }`. So what cannot travel by structured
// clone has a property that makes the sender's call fail. Its value is a symbol, because the
// message of the error shows the text of a symbol:
//
//   DataCloneError: Symbol(a Lock: send its toJSON(), and call attach() ...) could not be cloned.
import type { InspectOptionsStylized } from 'node:util';

/** The name of the property. It is no symbol, because structured clone ignores those. */
export const uncloneable = 'structured clone';

/** The value of the property. It is the same in all copies of this package. */
export function refusal(text: string): symbol {
  return Symbol.for(text);
}

/** The text, if the object has such a property. */
export function refusalOf(value: object): string | undefined {
  const found = (value as Record<string, unknown>)[uncloneable];
  return typeof found === 'symbol' ? found.description : undefined;
}

/** The arguments of `[inspect.custom]()`. */
export type Inspecting = [
  depth: number,
  options: InspectOptionsStylized,
  show: (value: unknown, options: object) => string,
];

/** For `[inspect.custom]()`: shows an object as inspect() does, but without that property. */
export function inspectWithout(object: object, ...how: Inspecting): string {
  const { [uncloneable]: _hidden, ...shown } = object as Record<string, unknown>;
  return inspectAs(object.constructor.name, shown, ...how);
}

/** For `[inspect.custom]()` of an object whose fields are private: `shown` is what it tells. */
export function inspectAs(
  className: string,
  shown: object,
  ...[depth, options, show]: Inspecting
): string {
  if (depth < 0) return options.stylize(`[${className}]`, 'special');
  return `${className} ${show(shown, options)}`;
}
