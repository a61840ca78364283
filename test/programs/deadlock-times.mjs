// When deadlocks of the tasks of one thread are found, in a time that only this program moves on.
// Prints which waits ended by an error, how long each had lasted, and the name of the error.
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';

let time = 0;
const running = new Set();
performance.now = () => time;
process.hrtime = () => [0, time * 1e6];
timers.setInterval = (look, ms) => {
  const timer = { look, ms, next: time + ms, ref() {}, unref() {} };
  running.add(timer);
  return timer;
};
timers.clearInterval = (timer) => running.delete(timer);
const { Lock, ReadWriteLock } = await import('holdfast');

async function pass(ms) {
  for (const end = time + ms; time < end; ) {
    time++;
    for (const timer of running) {
      if (timer.next > time) continue;
      timer.next += timer.ms;
      timer.look();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const ends = [];
async function watch(who, waits) {
  const begun = time;
  await waits.catch(({ name }) => ends.push({ who, lasted: time - begun, name }));
}

const scenarios = {
  /** The thread dozes. */
  async alone() {
    const lock = new Lock();
    void lock.runExclusive(() => watch('the task', lock.acquire()));
    await pass(2000);
  },
  /** It dozes, and has another wait that is not told. Its look is less than two slices before. */
  async besideAnother() {
    const lock = new Lock();
    const guard = lock.acquireSync();
    void lock.acquire({ deadlock: false }).then((next) => next.release());
    await pass(60);
    await scenarios.alone();
    guard.release();
  },
  /** Each reader and the writer are a circle. The second one is left of both. */
  async inCommon() {
    const [table, lock] = [new ReadWriteLock(), new Lock()];
    let wake;
    const gate = new Promise((resolve) => (wake = resolve));
    const reads = (who) =>
      table.runShared(async () => {
        await gate;
        await watch(who, lock.acquire());
      });
    void reads('the older reader');
    void reads('the younger reader');
    void lock.runExclusive(async () => {
      const guard = await table.acquireExclusive();
      guard.release();
    });
    await pass(10);
    wake();
    await pass(2000);
  },
};

await scenarios[process.argv[2]]();
console.log(JSON.stringify(ends));
process.exit();
