// How an operation of the addon learns which object it is for. Node-API takes longer to hand over
// an object than an uncontended Lock takes to acquire. So the place of the object is written into a
// word that the addon reads (native/addon/natives.h, docs/adr/0079-places.md).
import type { CommonOperations, Native, NativeAddon, Operations } from './bindings.js';
import { kinds } from './enums.js';

type Operation<Object> = (object: Object, ...rest: unknown[]) => unknown;
interface Table<Object> {
  [name: string]: Operation<Object> | Table<Object>;
}

/** The functions of the table, which are given a Native. */
function dress(table: Table<object>, subject: Uint32Array): Table<Native> {
  const dressed: Table<Native> = {};
  for (const [name, value] of Object.entries(table)) {
    dressed[name] = typeof value === 'function' ? through(value, subject) : dress(value, subject);
  }
  return dressed;
}

function through(operation: Operation<object>, subject: Uint32Array): Operation<Native> {
  return (native, ...rest) => {
    subject[0] = native.place;
    // The External goes with it, so that the object is not collected during the call.
    return operation(native.external, ...rest);
  };
}

/** What an addon that was just loaded offers for objects. */
export function operationsOf(loaded: NativeAddon): Operations & { common: CommonOperations } {
  const offered = loaded as unknown as Table<object>;
  const tables = ['common', ...Object.keys(kinds)].map((name) => [name, offered[name]!]);
  const all = dress(Object.fromEntries(tables) as Table<object>, loaded.subject);
  return all as unknown as Operations & { common: CommonOperations };
}
