// SIGKILL of a holder to the next acquisition: the clock of every contestant of `recovery`. Three
// processes: a holder that dies, a waiter that waits all the while, and this one, which kills and
// keeps the clock. The waiter is a process of its own even for the asynchronous kinds, so that all
// figures mean the same.
//
//   recovery  from just before kill() to just after the acquisition in the waiter
//   exit      from just before kill() until this process hears that the holder is gone: the kernel
//             has torn the holder down by then, so it is the yardstick for "at once"
//
// A contestant is `open(name) -> player`:
//   hold()        the holder has it, or is in the middle of it, when this (or its promise) is done
//   wait()        in the waiter: returns, or its promise resolves, when what the dead one had is had
//   again()       in the waiter: makes ready for the next round (releases, say); optional
//   killed()      in this process, just after the kill; optional, and then it too opens a player
//   close()
// `sync` says that wait() blocks the thread.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../tell.mjs';

/** Plays the variant on the command line: `<variant> <kills> [role name]`. */
export async function play(file, variants) {
  const [variant, kills, role, name] = process.argv.slice(2);
  if (!variants[variant]) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  if (role === 'holder') await hold(await variants[variant](name));
  else if (role === 'waiter') await wait(await variants[variant](name));
  else await run(file, variants[variant], [variant, kills]);
}

async function run(file, open, [variant, kills]) {
  const name = `bench-${process.pid}`;
  const player = await open(name);
  const start = async (role) => {
    const child = fork(file, [variant, kills, role, name]);
    await once(child, 'message');
    return child;
  };

  const waiter = await start('waiter');
  const recovery = [];
  const exit = [];
  for (let i = 0; i < Number(kills); i++) {
    const holder = await start('holder');
    waiter.send('wait');
    await once(waiter, 'message');
    // So that the kill comes at any phase of the waiter's slice.
    await sleep(60 + Math.random() * 50);

    const answer = once(waiter, 'message');
    const gone = once(holder, 'exit').then(() => process.hrtime.bigint());
    const killed = process.hrtime.bigint();
    process.kill(holder.pid, 'SIGKILL');
    player.killed?.();
    exit.push(Number((await gone) - killed));
    const [{ got }] = await answer;
    recovery.push(Number(BigInt(got) - killed));
    if (recovery[i] < 0) throw new Error('the waiter had it before the holder was killed');
  }
  waiter.disconnect();
  await player.close();
  console.log(JSON.stringify({ recovery, exit }));
}

async function hold(player) {
  await player.hold();
  process.send('holding');
  // The channel keeps the process running until it is killed. If the parent is gone, the process
  // ends.
  process.on('message', () => {});
}

async function wait(player) {
  process.on('message', async () => {
    const waiting = player.sync ? undefined : player.wait();
    // A synchronous wait blocks this thread, so the message must have left before it starts.
    await tell('waiting');
    if (player.sync) player.wait();
    else await waiting;
    const got = process.hrtime.bigint();
    await player.again?.();
    process.send({ got: String(got) });
  });
  process.on('disconnect', () => player.close());
  process.send('ready');
}
