// What a task calls, in the words that an order has for it.
import type { TargetReference } from '../process/target.js';

/** What a task calls. */
export interface Callee {
  readonly module: string;
  /** The name of the export, and behind a line break the digest of the function if it has one. */
  readonly name: string;
}

export function calleeOf({ module, export: name, digest }: TargetReference): Callee {
  return { module, name: digest === undefined ? name : `${name}\n${digest}` };
}

/** What calleeOf() was given. */
export function referenceOf({ module, name: text }: Callee): TargetReference {
  const [name, digest] = text.split('\n') as [string, string?];
  return { module, export: name, ...(digest !== undefined && { digest }) };
}

/** The name of the export alone. */
export function shownName({ name }: Callee): string {
  return name.split('\n', 1)[0]!;
}

/** No other callee has it: a module's URL has no line break. */
export function keyOf({ module, name }: Callee): string {
  return `${name}\n${module}`;
}
