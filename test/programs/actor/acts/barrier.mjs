import { setTimeout as sleep } from 'node:timers/promises';

/** Actions of a Barrier. A command names them. */
export const actions = {
  nothing() {},
  fail() {
    throw new Error('the action failed');
  },
  async failLater() {
    await sleep(5);
    throw new Error('the action failed');
  },
  later: () => sleep(20),
  /** Runs until its thread is ended. */
  hang: () => new Promise(() => {}),
  block() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
};

/**
 * Passes the barrier `rounds` times and returns the index that it had in each round.
 *
 * Word 0 of the memory counts all arrivals. With `parties` the count is checked: after round r it
 * holds all arrivals of that round, and none of the round after the next.
 */
export async function passRounds({ barrier, memory, rounds, form, parties }) {
  const words = new Int32Array(memory.buffer);
  const indices = [];
  for (let round = 1; round <= rounds; round++) {
    Atomics.add(words, 0, 1);
    indices.push(form === 'sync' ? barrier.waitSync() : await barrier.wait());
    if (parties === undefined) continue;
    const arrived = Atomics.load(words, 0);
    if (arrived < round * parties || arrived > (round + 1) * parties) {
      throw new Error(`${arrived} arrivals after round ${round}`);
    }
  }
  return indices;
}
