import { Lock, RLock, Semaphore } from '../holdfast.mjs';
import { play } from './match.mjs';
import { ring } from './ring.mjs';

const three = (Kind, name) => [0, 1, 2].map((i) => new Kind({ name: `${name}-${i}` }));

function lockSync(Kind) {
  return (side, name) => {
    const locks = three(Kind, name);
    return ring(side, {
      sync: true,
      take: (i) => locks[i].acquireSync(),
      give: (i) => locks[i].release(),
      close: () => locks.forEach((lock) => lock.close()),
    });
  };
}

function lockAsync(Kind) {
  return (side, name) => {
    const locks = three(Kind, name);
    return ring(side, {
      take: (i) => locks[i].acquire(),
      give: (i) => locks[i].release(),
      close: () => locks.forEach((lock) => lock.close()),
    });
  };
}

function semaphores(side, name) {
  const pair = [0, 1].map((i) => new Semaphore(0, { name: `${name}-${i}` }));
  const close = () => pair.forEach((semaphore) => semaphore.close());
  return { mine: pair[side], other: pair[1 - side], close };
}

await play(import.meta.filename, {
  'lock-sync': lockSync(Lock),
  'lock-async': lockAsync(Lock),
  'rlock-sync': lockSync(RLock),
  'rlock-async': lockAsync(RLock),

  'semaphore-sync'(side, name) {
    const { mine, other, close } = semaphores(side, name);
    return { sync: true, turn: () => mine.acquireSync(), pass: () => other.release(), close };
  },

  'semaphore-async'(side, name) {
    const { mine, other, close } = semaphores(side, name);
    return { turn: () => mine.acquire(), pass: () => other.release(), close };
  },
});
