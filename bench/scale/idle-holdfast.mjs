import { Lock, Queue, RLock } from '../holdfast.mjs';
import { play } from './idle.mjs';

const lock =
  (Kind, sync = false) =>
  (name) => {
    const opened = new Kind({ name });
    return {
      take: sync ? () => opened.acquireSync() : () => opened.acquire(),
      give: () => opened.release(),
      close: () => opened.close(),
    };
  };

await play(import.meta.filename, {
  'lock-async': lock(Lock),
  'lock-sync': lock(Lock, true),
  'rlock-sync': lock(RLock, true),

  // A lock made of one item: the process that has got the item puts it back.
  'queue-async'(name, isFirst = false) {
    const queue = new Queue({ name });
    if (isFirst) queue.putSync('the item');
    return {
      take: () => queue.get(),
      give: () => queue.put('the item'),
      close: () => queue.close(),
    };
  },
});
