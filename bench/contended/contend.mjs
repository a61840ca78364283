// Many processes, one lock: the loop and the clock of every Node contestant of `contended`.
// contended/mp.py and contended/posix.c do the same.
//
// A contestant is `open(name) -> player`, a player is { sync, take(), give(), close() }. This
// process starts as many players as the largest game has. For each game it tells the first n of
// them when to begin and when to end. In between they take and give again and again. A section is
// one increment of a word in shared memory, by load and store. If increments are missing in the
// end, the lock has let two in at once, and that is an error. In the games called `work` a section
// lasts for 10 us after the increment.
//
//   <section>-<n>          nanoseconds of the game per section, all players together
//   <section>-<n>-jain     Jain's index of the shares: 1 if all are equal, 1/n if one has all
//   <section>-<n>-longest  the longest time in which some player did not get the lock
//
// Some games of each section with all players come first and do not count: V8 compiles meanwhile.
// It does so again after the end of the first game, which it had not seen when it compiled.
//
// A section reads the clock once. A player stops after its first section past the end.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedMemory } from '../holdfast.mjs';

const COUNTS = [2, 4, 8, 16];
const SECTIONS = { empty: 0, work: 0.01 };
const HEADSTART_MS = 20;
// Until V8 has compiled the loops. With sixteen players on two CPUs each has an eighth of that.
const WARM_UP_GAMES = 6;
const WARM_UP_MS = 200;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** Plays the variant on the command line: `<variant> <ms of a game> [name]`. */
export async function play(file, variants) {
  const [variant, gameMs, name] = process.argv.slice(2);
  if (!variants[variant]) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  if (name === undefined) await run(file, variant, Number(gameMs));
  else await contend(await variants[variant](name), name);
}

async function run(file, variant, gameMs) {
  const name = `bench-${process.pid}`;
  const memory = new SharedMemory(8, { name: `${name}-word` });
  const word = new Int32Array(memory.buffer);
  const players = await Promise.all(
    Array.from({ length: Math.max(...COUNTS) }, async () => {
      const player = fork(file, [variant, gameMs, name]);
      await once(player, 'message');
      return player;
    }),
  );
  for (let i = 0; i < WARM_UP_GAMES; i++) {
    for (const sectionMs of Object.values(SECTIONS)) await game(players, WARM_UP_MS, sectionMs);
  }
  const figures = {};
  for (const [section, sectionMs] of Object.entries(SECTIONS)) {
    for (const n of COUNTS) {
      const before = word[0];
      const { from, shares } = await game(players.slice(0, n), gameMs, sectionMs);
      const total = sum(shares.map(({ count }) => count));
      if (word[0] - before !== total) throw new Error('two players were in a section at once');
      Object.assign(figures, figuresOf(`${section}-${n}`, from, shares));
    }
  }
  for (const player of players) player.disconnect();
  memory.close();
  console.log(JSON.stringify(figures));
}

async function game(players, gameMs, sectionMs) {
  const from = nowMs() + HEADSTART_MS;
  const plan = { from, to: from + gameMs, sectionMs };
  return { from, shares: await Promise.all(players.map((player) => ask(player, plan))) };
}

async function ask(player, plan) {
  const answer = once(player, 'message');
  player.send(plan);
  return (await answer)[0];
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function figuresOf(id, from, shares) {
  const counts = shares.map(({ count }) => count);
  const total = sum(counts);
  const end = Math.max(...shares.map(({ last }) => last));
  return {
    [id]: [((end - from) * 1e6) / total],
    [`${id}-jain`]: [total ** 2 / (counts.length * sum(counts.map((count) => count ** 2)))],
    [`${id}-longest`]: [Math.max(...shares.map(({ longest }) => longest)) * 1e6],
  };
}

async function contend(player, name) {
  const memory = new SharedMemory(8, { name: `${name}-word` });
  const word = new Int32Array(memory.buffer);
  process.on('message', async (game) => {
    await sleep(Math.max(0, game.from - nowMs()));
    // performance.now() is the cheaper reading of the same clock.
    const origin = nowMs() - performance.now();
    const plan = { ...game, from: game.from - origin, to: game.to - origin };
    const share = player.sync ? loopSync(player, word, plan) : await loopAsync(player, word, plan);
    process.send({ ...share, last: share.last + origin });
  });
  process.once('disconnect', () => {
    memory.close();
    player.close();
  });
  process.send('ready');
}

function loopSync({ take, give }, word, { from, to, sectionMs }) {
  let count = 0;
  let longest = 0;
  let last = from;
  for (;;) {
    take();
    const now = performance.now();
    word[0]++;
    if (sectionMs > 0) while (performance.now() < now + sectionMs);
    give();
    count++;
    if (now - last > longest) longest = now - last;
    last = now;
    if (now >= to) return { count, longest, last };
  }
}

async function loopAsync({ take, give }, word, { from, to, sectionMs }) {
  let count = 0;
  let longest = 0;
  let last = from;
  for (;;) {
    await take();
    const now = performance.now();
    word[0]++;
    if (sectionMs > 0) while (performance.now() < now + sectionMs);
    const given = give();
    if (given !== undefined) await given;
    count++;
    if (now - last > longest) longest = now - last;
    last = now;
    if (now >= to) return { count, longest, last };
  }
}
