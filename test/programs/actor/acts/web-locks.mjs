import { setImmediate as turn } from 'node:timers/promises';

/** A request whose callback never ends. Resolves or rejects as the request does. */
export function holdForever({ object, name, options = {} }) {
  return object.request(name, options, () => new Promise(() => {}));
}

/** What a lock says, which acquire() returned. */
export function describeLock({ object }) {
  const { name, mode, abandoned, stolen, token } = object;
  return { name, mode, abandoned, stolen, token };
}

/** Blocks until it has the lock. Was it abandoned? */
export function requestSyncOnce({ object, name }) {
  return object.requestSync(name, (lock) => lock.abandoned);
}

/**
 * Adds 1 to the number of each name in turn, in two steps with a turn of the event loop in between,
 * under the lock of that name. Without the lock, additions of others would be lost.
 */
export async function addUnderLocks({ object, memory, names, rounds, form }) {
  const words = new Int32Array(memory.buffer);
  for (let round = 0; round < rounds; round++) {
    const place = round % names;
    if (form === 'sync') {
      object.requestSync(`name ${place}`, () => {
        const seen = words[place];
        for (let i = 0; i < 200; i++);
        words[place] = seen + 1;
      });
    } else {
      await object.request(`name ${place}`, async () => {
        const seen = words[place];
        await turn();
        words[place] = seen + 1;
      });
    }
  }
}
