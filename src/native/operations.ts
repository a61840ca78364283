// How an operation of the addon learns which object it is for. Node-API takes longer to hand over
// an object than an uncontended Lock takes to acquire. So the place of the object is written into a
// word that the addon reads (native/addon/natives.h, docs/adr/0079-places.md).
import type { Native, NativeAddon, Operations } from './bindings.js';
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

/** What the addon has in another form: its functions get and return Externals. */
type Dressed = Operations & Pick<NativeAddon, 'common' | 'open'>;

/** What an addon that was just loaded offers for objects. */
export function operationsOf(loaded: NativeAddon): Dressed {
  const offered = loaded as unknown as Table<object> & { open: (...asked: unknown[]) => object };
  const { subject } = loaded;
  const tables = ['common', ...Object.keys(kinds)].map((name) => [name, offered[name]!]);
  const dressed = dress(Object.fromEntries(tables) as Table<object>, subject);
  // The addon leaves the place of the object in the word.
  const open = (...asked: unknown[]) => {
    const external = offered.open(...asked);
    return { place: subject[0], external };
  };
  return { ...dressed, open } as unknown as Dressed;
}
