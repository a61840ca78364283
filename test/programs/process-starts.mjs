// How Processes are started, with each start method. The first argument names the scenario.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStartMethod, Process, Semaphore, setStartMethod } from 'holdfast';
import { refused, releases, runScenario, say, where } from './process-program.mjs';

export { releases, where };

const scenarios = {
  async wherever() {
    // Idle children have been started with the older environment.
    process.env.COLOUR = 'blue';
    delete process.env.HOME;
    process.chdir('/');
    await new Process(where).start().join();
  },

  async preload() {
    setStartMethod('forkserver', {
      preload: ['./process-preloaded.mjs', './process-no-such-file.mjs'],
      idle: 2,
    });
    for (let i = 0; i < 3; i++) await new Process(where).start().join();
  },

  /** Starts more Processes than there are idle children. */
  async burst() {
    const semaphore = new Semaphore(0);
    const children = Array.from({ length: 12 }, () =>
      new Process(releases, { args: [semaphore] }).start(),
    );
    say(new Set(children.map((child) => child.pid)).size);
    await Promise.all(children.map((child) => child.join()));
    say([semaphore.value(), children.every((child) => child.exitCode === 0)]);
    semaphore.close();
  },

  /** Starts no Process. Idle children must not keep it alive. */
  idleOnly() {
    say(getStartMethod());
  },

  async idleLonger() {
    await sleep(Number(process.argv[3]));
    say('idle');
    await sleep(60_000);
  },

  /** This program survives Ctrl-C, and so must its idle children. */
  async interrupted() {
    setStartMethod('forkserver', { preload: ['./process-preloaded.mjs'], idle: 1 });
    const alive = setInterval(() => {}, 1000); // a listener for a signal keeps no program alive
    await once(process, 'SIGINT');
    await sleep(500);
    clearInterval(alive);
    const child = new Process(where).start();
    await child.join();
    say(child.exitCode);
  },

  async startMethods() {
    const before = getStartMethod();
    const wrong = [
      await refused(() => setStartMethod('fork')),
      await refused(() => setStartMethod('thread')),
      await refused(() => setStartMethod('forkserver', { idle: 0 })),
      await refused(() => setStartMethod('forkserver', { idle: '1' })),
      await refused(() => setStartMethod('forkserver', { preload: 'x' })),
      await refused(() => setStartMethod('forkserver', { preload: ['no-such-package'] })),
      await refused(() => setStartMethod('forkserver', 1)),
      await refused(() => setStartMethod('forkserver', { prelaod: [] })),
    ];
    const unchanged = getStartMethod();
    setStartMethod('forkserver');
    setStartMethod('spawn');
    say([before, wrong, unchanged, getStartMethod()]);
  },

  /** Measures the time from start() until the target runs. */
  async speed() {
    const semaphore = new Semaphore(0);
    const times = [];
    for (let i = 0; i < 9; i++) {
      // Waits until the next idle child has started.
      if (process.env.METHOD === 'forkserver') await sleep(400);
      const start = performance.now();
      const child = new Process(releases, { args: [semaphore] }).start();
      semaphore.acquireSync();
      times.push(performance.now() - start);
      await child.join();
    }
    semaphore.close();
    say(times.toSorted((a, b) => a - b)[times.length >> 1]);
  },
};

await runScenario(import.meta, scenarios);
