// How an operation of the addon learns which object it is for. Node-API takes longer to hand over
// an object than an uncontended Lock takes to acquire. So the place of the object is written into a
// word that the addon reads (native/addon/natives.h, docs/adr/0079-places.md). An argument that is
// a number, and the only one, is written beside it.
import type { Native, NativeAddon, Operations } from './bindings.js';
import { kinds } from './enums.js';

type Operation<Object> = (object: Object, ...rest: unknown[]) => unknown;
interface Table<Object> {
  [name: string]: Operation<Object> | Table<Object>;
}

type Words = Pick<NativeAddon, 'subject' | 'number'>;

/** The functions of the table, which are given a Native. */
function dress(table: Table<object>, words: Words): Table<Native> {
  const dressed: Table<Native> = {};
  for (const [name, value] of Object.entries(table)) {
    dressed[name] = typeof value === 'function' ? through(value, words) : dress(value, words);
  }
  return dressed;
}

function through(operation: Operation<object>, { subject, number }: Words): Operation<Native> {
  return (native, ...rest) => {
    subject[0] = native.place;
    if (rest.length === 1 && typeof rest[0] === 'number') number[0] = rest[0];
    // The External goes with it, so that the object is not collected during the call.
    return operation(native.external, ...rest);
  };
}

/** What the addon has in another form: its functions get and return Externals. */
type Dressed = Operations & Pick<NativeAddon, 'common' | 'open'>;

/** What an addon that was just loaded offers for objects. */
export function operationsOf(loaded: NativeAddon): Dressed {
  const offered = loaded as unknown as Table<object> & { open: (...asked: unknown[]) => object };
  const tables = ['common', ...Object.keys(kinds)].map((name) => [name, offered[name]!]);
  const dressed = dress(Object.fromEntries(tables) as Table<object>, loaded);
  // The addon leaves the place of the object in the word.
  const open = (...asked: unknown[]) => {
    const external = offered.open(...asked);
    return { place: loaded.subject[0], external };
  };
  return { ...dressed, open } as unknown as Dressed;
}
