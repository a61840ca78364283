// How a Process ends, and how a program waits for that. The first argument names the scenario.
import { setTimeout as sleep } from 'node:timers/promises';
import { Process } from 'holdfast';
import { refused, runScenario, say, slowly } from './process-program.mjs';

export { slowly };

export const endings = {
  returns() {},
  async strayHandles() {
    setInterval(() => {}, 1000);
    await sleep(10);
  },
  exitCode() {
    process.exitCode = 7;
  },
  exits() {
    process.exit(5);
  },
  throws() {
    throw new Error('thrown on purpose', { cause: new TypeError('the cause') });
  },
  async rejects() {
    await sleep(1);
    throw 'a string, on purpose';
  },
  never() {
    return new Promise(() => {});
  },
  async uncaught() {
    setTimeout(() => {
      throw new Error('uncaught on purpose');
    });
    await sleep(1000);
  },
  killsItself() {
    process.kill(process.pid, 'SIGKILL');
    return sleep(1000);
  },
};

export async function ends(how) {
  await endings[how]();
}

export function floods(bytes) {
  process.stdout.write('x'.repeat(bytes));
  process.stderr.write('y'.repeat(bytes));
}

const scenarios = {
  async endings() {
    const names = Object.keys(endings);
    const children = names.map((how) => new Process(ends, { args: [how], name: how }).start());
    await Promise.all(children.map((child) => child.join()));
    say(Object.fromEntries(children.map((child) => [child.name, child.exitCode])));
  },

  async signals() {
    const killed = new Process(slowly, { args: [60_000] }).start();
    killed.kill();
    const terminated = new Process(slowly, { args: [60_000] }).start();
    terminated.terminate();
    say([await killed.join(), killed.exitCode, await terminated.join(), terminated.exitCode]);
    killed.kill(); // nothing happens
    terminated.terminate();
  },

  async join() {
    const child = new Process(slowly, { args: [60_000] });
    const early = [
      await refused(() => child.join()),
      await refused(() => child.terminate()),
      await refused(() => child.kill()),
    ];
    await child[Symbol.asyncDispose](); // it was not started, so there is nothing to wait for
    child.start();
    const start = performance.now();
    const timedOut = await child.join({ timeout: 200 });
    const waited = performance.now() - start;
    const reason = new Error('enough');
    const aborted = child
      .join({ signal: AbortSignal.abort(reason) })
      .catch((error) => error === reason);
    const abortedLater = refused(() => child.join({ signal: AbortSignal.timeout(20) }));
    say({
      early,
      timedOut,
      waited,
      zero: await child.join({ timeout: 0 }),
      aborted: await aborted,
      abortedLater: (await abortedLater)[0],
      wrong: [
        (await refused(() => child.join({ timeout: -1 })))[0],
        (await refused(() => child.join({ timeout: '1' })))[0],
        (await refused(() => child.join({ signal: 1 })))[0],
        (await refused(() => child.join(null)))[0],
      ],
      twice: await refused(() => child.start()),
    });
    const all = Promise.all([
      child.join(),
      child.join({ timeout: 20_000 }),
      child[Symbol.asyncDispose](),
    ]);
    child.kill();
    say([await all, await child.join({ timeout: 0 })].flat());
  },

  async flood() {
    await new Process(floods, { args: [3_000_000] }).start().join();
  },
};

await runScenario(import.meta, scenarios);
