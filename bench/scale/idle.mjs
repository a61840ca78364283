// What it costs to wait while nothing happens: the clock of every Node contestant of it.
// scale/mp.py does the same.
//
// A contestant is `open(name) -> player`, a player is { sync, take(), give(), close() }. This
// process takes, a forked one waits, and after IDLE_MS this one gives. The waiter counts its own
// CPU time and its sleeps, all its threads together, from the start of its wait to the end.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const IDLE_MS = 1000;
// Waits until Node has finished the work that it does after its start.
const SETTLE_MS = 200;

/**
 * The command line is `<variant> <waits> [name]`. A thread has that many waits pending; a
 * synchronous player has one.
 */
export async function play(file, variants) {
  const [variant, waits, name] = process.argv.slice(2);
  if (!variants[variant]) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  if (name === undefined) await hold(file, variants[variant], [variant, waits]);
  else await wait(await variants[variant](name), Number(waits));
}

async function hold(file, open, args) {
  const name = `bench-${process.pid}`;
  const player = await open(name, true);
  await player.take();
  const waiter = fork(file, [...args, name]);
  const ended = once(waiter, 'exit');
  await once(waiter, 'message');
  await sleep(IDLE_MS);
  const answer = once(waiter, 'message');
  await player.give();
  const [figures] = await answer;
  await ended;
  await player.close();
  console.log(JSON.stringify(figures));
}

async function wait(player, waits) {
  await sleep(SETTLE_MS);
  await new Promise((resolve) => process.send('waiting', resolve));
  const before = spent();
  let after;
  const one = async () => {
    await player.take();
    after ??= spent();
    await player.give();
  };
  await Promise.all(Array.from({ length: waits }, one));
  const seconds = (after.ms - before.ms) / 1000;
  await new Promise((resolve) =>
    process.send(
      {
        cpu: [(after.cpuNs - before.cpuNs) / seconds],
        switches: [(after.switches - before.switches) / seconds],
      },
      resolve,
    ),
  );
  await player.close();
  process.disconnect();
}

function spent() {
  const { userCPUTime, systemCPUTime, voluntaryContextSwitches } = process.resourceUsage();
  return {
    ms: performance.now(),
    cpuNs: (userCPUTime + systemCPUTime) * 1000,
    switches: voluntaryContextSwitches,
  };
}
