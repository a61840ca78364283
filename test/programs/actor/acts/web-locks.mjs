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

/**
 * Requests names for ever, in either mode. In words[0] it counts what must not be: somebody else
 * wrote the word of a name while this one held it. In words[1] it counts its holds.
 */
export function churnLocks({ object, memory, names, lanes }) {
  const words = new Int32Array(memory.buffer);
  let mark = process.pid * 1000;
  const lane = async () => {
    for (;;) {
      const place = 2 + Math.floor(Math.random() * names);
      const mode = Math.random() < 0.5 ? 'shared' : 'exclusive';
      await object.request(`name ${place - 2}`, { mode }, async () => {
        if (mode === 'exclusive') words[place] = ++mark;
        const seen = Atomics.load(words, place);
        if (Math.random() < 0.5) await turn();
        if (Atomics.load(words, place) !== seen) Atomics.add(words, 0, 1);
        Atomics.add(words, 1, 1);
      });
    }
  };
  for (let i = 0; i < lanes; i++) lane().catch((error) => console.error(error));
}
