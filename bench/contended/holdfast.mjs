import { Lock, RLock } from '../holdfast.mjs';
import { play } from './contend.mjs';

const player = (Kind, sync) => (name) => {
  const lock = new Kind({ name });
  return {
    sync,
    take: sync ? () => lock.acquireSync() : () => lock.acquire(),
    give: () => lock.release(),
    close: () => lock.close(),
  };
};

await play(import.meta.filename, {
  'lock-sync': player(Lock, true),
  'lock-async': player(Lock, false),
  'rlock-sync': player(RLock, true),
});
