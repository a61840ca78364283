// import 'holdfast/navigator-locks': prints what is at navigator.locks, and in the globals.
// An argument 'plain' or 'own' makes a navigator before: a plain object, or one with `locks` of its
// own.
const [kind] = process.argv.slice(2);
class Navigator {}
const made = { plain: {}, own: Object.assign(new Navigator(), { locks: 'others' }) }[kind];
if (made) Object.defineProperty(globalThis, 'navigator', { value: made, configurable: true });

const before = Object.hasOwn(globalThis, 'LockManager');
await import('holdfast/navigator-locks');
const { LockManager, list, locks } = await import('holdfast');

const { navigator } = globalThis;
const isOwn = Object.hasOwn(navigator, 'locks');
const home = isOwn ? navigator : Object.getPrototypeOf(navigator);
const { enumerable } = Object.getOwnPropertyDescriptor(home, 'locks');
const opened = list().length;
const result = await navigator.locks.request('it', async (lock) => {
  const { held } = await navigator.locks.query();
  return [lock.name, held.length, before || lock instanceof globalThis.Lock];
});
console.log(
  JSON.stringify({
    same: navigator.locks === locks,
    isOwn,
    enumerable,
    everywhere: 'locks' in {},
    global: before || globalThis.LockManager === LockManager,
    opened,
    result,
  }),
);
