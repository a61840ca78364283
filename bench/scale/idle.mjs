// What it costs to wait while nothing happens: the clock of every Node contestant of it.
// scale/mp.py does the same, without the first wait.
//
// A contestant is `open(name) -> player`, a player is { take(), give(), close() }. This process
// takes, a forked one waits, and after IDLE_MS this one gives. The waiter counts its own CPU time
// and its sleeps, all its threads together, from the start of its wait to the end. It has waited
// once before, for a moment, so that V8 has compiled what a wait runs.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../tell.mjs';

const IDLE_MS = 1000;
const WARM_UP_MS = 100;
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
  const waiter = fork(file, [...args, name]);
  const ended = once(waiter, 'exit');
  let figures;
  for (const ms of [WARM_UP_MS, IDLE_MS]) {
    await player.take();
    const waiting = once(waiter, 'message');
    waiter.send('taken');
    await waiting;
    await sleep(ms);
    const answer = once(waiter, 'message');
    await player.give();
    [figures] = await answer;
  }
  await ended;
  await player.close();
  console.log(JSON.stringify(figures));
}

async function wait(player, waits) {
  let taken = once(process, 'message');
  for (const settle_ms of [0, SETTLE_MS]) {
    await taken;
    taken = once(process, 'message');
    // Until Node has finished the work that it does after its start.
    await sleep(settle_ms);
    await waitOnce(player, waits);
  }
  await player.close();
  process.disconnect();
}

async function waitOnce(player, waits) {
  await tell('waiting');
  const before = spent();
  let after;
  const one = async () => {
    await player.take();
    after ??= spent();
    await player.give();
  };
  await Promise.all(Array.from({ length: waits }, one));
  const seconds = (after.ms - before.ms) / 1000;
  await tell({
    cpu: [(after.cpuNs - before.cpuNs) / seconds],
    switches: [(after.switches - before.switches) / seconds],
  });
}

function spent() {
  const { userCPUTime, systemCPUTime, voluntaryContextSwitches } = process.resourceUsage();
  return {
    ms: performance.now(),
    cpuNs: (userCPUTime + systemCPUTime) * 1000,
    switches: voluntaryContextSwitches,
  };
}
