// A program whose timers and clock are replaced after it has imported the package. The first
// argument names the replacement, and the second one the scenario.
import { spawn } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { performance as performanceOfNode } from 'node:perf_hooks';
import { mock } from 'node:test';
import timers from 'node:timers';
import { fileURLToPath } from 'node:url';
import { attach, Process, Semaphore } from 'holdfast';
import { say, slowly } from './process-program.mjs';

export { slowly };

const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'];

/** They never fire. */
const stillTimers = () => Object.fromEntries(names.map((name) => [name, () => 1]));

const replacements = {
  /** The mock timers of node:test. */
  nodeTest() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });
  },
  /** What sinon and Jest do: replace the globals, the modules of Node, and the clock. */
  sinon() {
    Object.assign(globalThis, stillTimers());
    Object.assign(timers, stillTimers());
    performanceOfNode.now = () => 1000;
    globalThis.performance = { now: () => 1000 };
    Date.now = () => 1000;
    process.hrtime = Object.assign(() => [1, 0], { bigint: () => 1n });
    syncBuiltinESMExports();
  },
  /** What jsdom does: timers are numbers. */
  jsdom() {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
    const made = [];
    globalThis.setTimeout = (...args) => made.push(setTimeout(...args));
    globalThis.setInterval = (...args) => made.push(setInterval(...args));
    globalThis.clearTimeout = (number) => clearTimeout(made[number - 1]);
    globalThis.clearInterval = (number) => clearInterval(made[number - 1]);
    globalThis.performance = { now: () => 1000 };
  },
};

const scenarios = {
  blocking() {
    try {
      new Semaphore(0).acquireSync({ timeout: 60 });
    } catch (error) {
      say(error.name);
    }
  },
  async pending() {
    await new Semaphore(0).acquire({ timeout: 60 }).catch((error) => say(error.name));
  },
  async join() {
    const child = new Process(slowly, { args: [60_000] }).start();
    say(await child.join({ timeout: 60 }));
    child.kill();
    say(await child.join());
  },
  /** Only the wait keeps this process alive. */
  async alive() {
    const semaphore = new Semaphore(0);
    const args = [fileURLToPath(import.meta.url), 'none', 'release', JSON.stringify(semaphore)];
    spawn(process.execPath, args, { stdio: 'ignore' }).unref();
    await semaphore.acquire();
    say('woken');
  },
  release() {
    const semaphore = attach(JSON.parse(process.argv[4]));
    setTimeout(() => semaphore.release(), 200);
  },
};

const [, file, replacement, scenario] = process.argv;
if (file === fileURLToPath(import.meta.url)) {
  replacements[replacement]?.();
  await scenarios[scenario]();
}
