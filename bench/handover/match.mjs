// Two processes that hand a turn to and fro: the loop and the clock of every Node contestant of
// `handover`. handover/mp.py and handover/posix.c play the same match.
//
// A contestant is `open(side, name) -> player`, a player is
//   pass()   give the turn to the other side (never waits)
//   turn()   wait until the turn is mine; returns a promise unless the player is `sync`
//   close()
// Side 0 opens first and has the turn. Each match has three parts:
//   pingPong  turns are passed on at once; the figure is a whole exchange divided by two
//   single    the same, one by one: from just before pass() to just after turn() on the other side.
//             CLOCK_MONOTONIC is one clock for all processes of a machine.
//   asleep    like single, but the one in turn first works for DWELL_NS, so that the other is
//             asleep

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tell } from '../tell.mjs';

const BATCHES = 5;
const DWELL_NS = 200_000n;

/**
 * Plays a match of the variant on the command line:
 * `<variant> <warm-up> <turns> <single> <asleep> [name]`.
 */
export async function play(file, variants) {
  const [variant, warmUp, turns, single, asleep, name] = process.argv.slice(2);
  const open = variants[variant];
  if (!open) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  const plan = {
    variant,
    warmUp: Number(warmUp),
    turns: Number(turns),
    single: Number(single),
    asleep: Number(asleep),
  };
  if (name === undefined) await first(file, open, plan);
  else await second(open, plan, name);
}

async function first(file, open, { variant, warmUp, turns, single, asleep }) {
  const name = `bench-${process.pid}`;
  const player = await open(0, name);
  const peer = forkPinned(file, [variant, warmUp, turns, single, asleep, name]);
  await once(peer, 'message');
  const answer = once(peer, 'message');
  const exit = once(peer, 'exit');

  const half = player.sync ? firstSync : firstAsync;
  await half.exchange(player, warmUp);
  const pingPong = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = process.hrtime.bigint();
    await half.exchange(player, turns);
    pingPong.push(Number(process.hrtime.bigint() - start) / (2 * turns));
  }
  const mine = { single: stamps(single), asleep: stamps(asleep) };
  await half.stamped(player, mine.single, 0n);
  await half.stamped(player, mine.asleep, DWELL_NS);

  const [theirs] = await answer;
  await exit;
  await player.close();
  const latencies = (part) => [
    ...between(mine[part].passed, theirs[part].got),
    ...between(theirs[part].passed, mine[part].got),
  ];
  const figures = { pingPong, single: latencies('single'), asleep: latencies('asleep') };
  // Without this check a lock that excludes nobody would be the fastest of all.
  if ([...figures.single, ...figures.asleep].some((ns) => ns < 0)) {
    throw new Error('both sides had the turn at once');
  }
  console.log(JSON.stringify(figures));
}

/** The peer inherits this process's CPU unless run.mjs has named another for it. */
function forkPinned(file, args) {
  const cpu = process.env.HOLDFAST_BENCH_PEER_CPU;
  if (!cpu) return fork(file, args);
  return fork(file, args, { execPath: 'taskset', execArgv: ['-c', cpu, process.execPath] });
}

async function second(open, { warmUp, turns, single, asleep }, name) {
  const player = await open(1, name);
  await tell('ready');
  const half = player.sync ? secondSync : secondAsync;
  await half.exchange(player, warmUp + BATCHES * turns);
  const mine = { single: stamps(single), asleep: stamps(asleep) };
  await half.stamped(player, mine.single, 0n);
  await half.stamped(player, mine.asleep, DWELL_NS);
  await player.close();
  await tell({ single: sendable(mine.single), asleep: sendable(mine.asleep) });
  process.disconnect();
}

const firstSync = {
  exchange(player, n) {
    for (let i = 0; i < n; i++) {
      player.pass();
      player.turn();
    }
  },
  stamped(player, mine, dwellNs) {
    for (let i = 0; i < mine.count; i++) {
      dwell(dwellNs);
      mine.passed[i] = process.hrtime.bigint();
      player.pass();
      player.turn();
      mine.got[i] = process.hrtime.bigint();
    }
  },
};

const firstAsync = {
  async exchange(player, n) {
    for (let i = 0; i < n; i++) {
      player.pass();
      await player.turn();
    }
  },
  async stamped(player, mine, dwellNs) {
    for (let i = 0; i < mine.count; i++) {
      dwell(dwellNs);
      mine.passed[i] = process.hrtime.bigint();
      player.pass();
      await player.turn();
      mine.got[i] = process.hrtime.bigint();
    }
  },
};

const secondSync = {
  exchange(player, n) {
    for (let i = 0; i < n; i++) {
      player.turn();
      player.pass();
    }
  },
  stamped(player, mine, dwellNs) {
    for (let i = 0; i < mine.count; i++) {
      player.turn();
      mine.got[i] = process.hrtime.bigint();
      dwell(dwellNs);
      mine.passed[i] = process.hrtime.bigint();
      player.pass();
    }
  },
};

const secondAsync = {
  async exchange(player, n) {
    for (let i = 0; i < n; i++) {
      await player.turn();
      player.pass();
    }
  },
  async stamped(player, mine, dwellNs) {
    for (let i = 0; i < mine.count; i++) {
      await player.turn();
      mine.got[i] = process.hrtime.bigint();
      dwell(dwellNs);
      mine.passed[i] = process.hrtime.bigint();
      player.pass();
    }
  },
};

const stamps = (count) => ({
  count,
  passed: new BigInt64Array(count),
  got: new BigInt64Array(count),
});

// JSON has no BigInt.
const sendable = ({ passed, got }) => ({
  passed: Array.from(passed, String),
  got: Array.from(got, String),
});

const between = (passed, got) =>
  Array.from(passed, (stamp, i) => Number(BigInt(got[i]) - BigInt(stamp)));

function dwell(ns) {
  if (ns === 0n) return;
  const end = process.hrtime.bigint() + ns;
  while (process.hrtime.bigint() < end);
}
