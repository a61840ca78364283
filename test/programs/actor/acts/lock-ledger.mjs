import { setImmediate as turn } from 'node:timers/promises';
import { now } from '../../clock.mjs';
import { random } from '../../random.mjs';

/**
 * What stands in the log of a player, a row for each request. A word that is 0 has not been
 * written. The last word to be written of a step is the time of it.
 */
export const row = {
  name: 0,
  isShared: 1,
  asked: 2,
  token: 3,
  isAbandoned: 4,
  granted: 5,
  left: 6,
  /** When the promise settled. */
  ended: 7,
};
export const wordsOfRow = 8;

/**
 * Requests names in either mode, from several lanes at once, until `stop` is not 0 or the log is
 * full. Some requests withdraw by a timeout.
 */
export async function playLocks({ manager, log, stop, names, lanes, seed }) {
  const { next, below } = random(seed);
  const words = new Float64Array(log.buffer);
  const stopped = new Int32Array(stop.buffer);
  let used = 0;
  const request = async (words) => {
    const name = below(names);
    const mode = next() < 0.4 ? 'shared' : 'exclusive';
    const options = next() < 0.2 ? { mode, timeout: 1 + below(5) } : { mode };
    words[row.name] = name;
    words[row.isShared] = mode === 'shared' ? 1 : 0;
    words[row.asked] = now();
    const hold = async ({ token, abandoned }) => {
      words[row.token] = Number(token);
      words[row.isAbandoned] = abandoned ? 1 : 0;
      words[row.granted] = now();
      for (let turns = below(3); turns > 0; turns--) await turn();
      words[row.left] = now();
    };
    await manager.request(`name ${name}`, options, hold).catch((error) => {
      if (error.name !== 'TimeoutError') throw error;
    });
    words[row.ended] = now();
  };
  const lane = async () => {
    while (stopped[0] === 0 && (used + 1) * wordsOfRow <= words.length) {
      used++;
      await request(words.subarray((used - 1) * wordsOfRow, used * wordsOfRow));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
