// Requests that reject in each way. Prints how many rejections nobody handled: first of requests
// whose promise is handled, then of requests whose promise is not.
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { LockManager } from 'holdfast';

const manager = new LockManager({ namespace: `unhandled ${process.pid}` });
const unhandled = new Map();
/** What the callbacks of stolen locks wait for before they throw. */
const robbed = [];
process.on('unhandledRejection', (reason, promise) => unhandled.set(promise, reason));

/** Each gives a promise that is to reject. */
const ways = {
  thrown: () =>
    manager.request('free', () => {
      throw new Error('thrown');
    }),
  rejected: () => manager.request('free', () => Promise.reject(new Error('rejected'))),
  refused: () => manager.request('-free', () => {}),
  timeout: () => manager.request('held', { timeout: 1 }, () => {}),
  aborted: () => manager.request('held', { signal: AbortSignal.timeout(1) }, () => {}),
  acquired: () => manager.acquire('held', { timeout: 1 }),
  stolen() {
    const request = manager.request('stolen', async () => {
      const later = sleep(20);
      robbed.push(later);
      await later;
      throw new Error('after the theft');
    });
    void manager.request('stolen', { steal: true }, () => {});
    return request;
  },
};

/** Counts when `settled` says that all have rejected, and the callback of the theft has, too. */
async function count(settled) {
  unhandled.clear();
  const made = Object.values(ways).map((way) => way());
  await settled(made);
  await Promise.allSettled(robbed);
  for (let i = 0; i < 5; i++) await turn();
  return { seen: unhandled.size, same: made.filter((promise) => unhandled.has(promise)).length };
}

async function allAreUnhandled(made) {
  for (let i = 0; i < 2000 && unhandled.size < made.length; i++) await sleep(5);
}

const held = await manager.acquire('held');
const handled = await count((made) => Promise.allSettled(made));
const left = await count(allAreUnhandled);
console.log(JSON.stringify({ ways: Object.keys(ways).length, handled, left }));
held.release();
manager.close();
