// Random calls on a queue, each written down before and after it: see test/support/history.ts.
import { TimeoutError } from 'holdfast';
import { now } from '../../clock.mjs';
import { random } from '../../random.mjs';

/** Words of one call in the log: what, of what, called at, result, returned at. */
export const wordsOfCall = 5;
export const calls = ['put', 'get', 'size', 'empty', 'full', 'take', 'done', 'retry'];
/** The result of a wait that gave up, which says nothing about the queue. */
export const gaveUp = -1;

/**
 * Makes `count` calls, from `startAt` on. The log is a SharedMemory, so what was written there
 * before a kill stays. The last word of each step says that the words before it are there.
 */
export function playHistory({ queue, log, seed, count, player, startAt }) {
  const { whole, pick } = random(seed);
  const words = new Float64Array(log.buffer);
  const isJoinable = queue.kind === 'JoinableQueue';
  const leases = [];
  let lastValue = player * 100_000;
  let at = 0;

  /** Calls `call` and logs it. What is to be logged as its result is what `call` returns. */
  function make(name, value, call) {
    words[at + 1] = value;
    words[at + 2] = now();
    words[at] = 1 + calls.indexOf(name);
    words[at + 3] = call();
    words[at + 4] = now();
    at += wordsOfCall;
  }

  const waiting = (call) => {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      return gaveUp;
    }
  };
  const timeout = 0.5;
  const plays = {
    put: () => make('put', ++lastValue, () => Number(queue.tryPut(lastValue))),
    putWaiting: () =>
      make('put', ++lastValue, () => waiting(() => (queue.putSync(lastValue, { timeout }), 1))),
    get: () => make('get', 0, () => queue.tryGet() ?? 0),
    getWaiting: () => make('get', 0, () => waiting(() => queue.getSync({ timeout }))),
    size: () => make('size', 0, () => queue.size()),
    empty: () => make('empty', 0, () => Number(queue.empty())),
    full: () => make('full', 0, () => Number(queue.full())),
    take: () =>
      make('take', 0, () => {
        const task = queue.tryTake();
        if (task) leases.push(task);
        return task?.value ?? 0;
      }),
    settle: () => {
      if (leases.length === 0) return;
      const [task] = leases.splice(whole(0, leases.length - 1), 1);
      const how = pick(['done', 'done', 'retry']);
      make(how, task.value, () => (task[how](), 1));
    },
  };
  const plain = ['put', 'put', 'putWaiting', 'get', 'getWaiting', 'size', 'size', 'empty', 'full'];
  const leasing = ['put', 'put', 'putWaiting', 'get', 'take', 'take', 'settle', 'settle', 'settle'];
  const choices = isJoinable ? [...leasing, 'size', 'size', 'size', 'empty', 'full'] : plain;

  while (now() < startAt);
  for (let i = 0; i < count; i++) plays[pick(choices)]();
  for (const task of leases) make('retry', task.value, () => (task.retry(), 1));
}
