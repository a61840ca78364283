// import 'holdfast/navigator-locks': prints what is at navigator.locks, and in the globals.
const before = Object.hasOwn(globalThis, 'LockManager');
await import('holdfast/navigator-locks');
const { LockManager, list, locks } = await import('holdfast');

const { navigator } = globalThis;
const descriptor = Object.getOwnPropertyDescriptor(navigator, 'locks');
const opened = list().length;
const result = await navigator.locks.request('it', async (lock) => {
  const { held } = await navigator.locks.query();
  return [lock.name, held.length, before || lock instanceof globalThis.Lock];
});
console.log(
  JSON.stringify({
    same: navigator.locks === locks,
    enumerable: descriptor.enumerable,
    global: before || globalThis.LockManager === LockManager,
    opened,
    result,
  }),
);
