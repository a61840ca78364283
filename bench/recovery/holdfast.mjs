// SIGKILL of the holder to the next acquisition. Three processes: a holder that dies, a waiter that
// waits all the while, and this one, which kills and keeps the clock. The waiter is a process of its
// own even for the asynchronous kinds, so that all four figures mean the same.
//
//   recovery  from just before kill() to just after the acquisition in the waiter
//   exit      from just before kill() until this process hears that the holder is gone: the kernel
//             has torn the holder down by then, so it is the yardstick for "at once"

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, RLock } from '../holdfast.mjs';

const kinds = { lock: Lock, rlock: RLock };

const [variant, kills, role, name] = process.argv.slice(2);
const [kind, mode] = variant.split('-');

if (role === 'holder') hold();
else if (role === 'waiter') wait();
else await run();

async function run() {
  const shared = `bench-${process.pid}`;
  const start = async (part) => {
    const child = fork(import.meta.filename, [variant, kills, part, shared]);
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
    // Any phase of the waiter's slice is as likely as any other.
    await sleep(100 + Math.random() * 50);

    const answer = once(waiter, 'message');
    const gone = once(holder, 'exit').then(() => process.hrtime.bigint());
    const killed = process.hrtime.bigint();
    process.kill(holder.pid, 'SIGKILL');
    exit.push(Number((await gone) - killed));
    const [{ got }] = await answer;
    recovery.push(Number(BigInt(got) - killed));
    if (recovery[i] < 0) throw new Error('the waiter had the lock before the holder was killed');
  }
  waiter.disconnect();
  console.log(JSON.stringify({ recovery, exit }));
}

function hold() {
  new kinds[kind]({ name }).acquireSync();
  process.send('holding');
  // The channel keeps the process running until it is killed; a parent that is gone ends it.
  process.on('message', () => {});
}

function wait() {
  const lock = new kinds[kind]({ name });
  process.on('message', async () => {
    const waiting = mode === 'async' ? lock.acquire() : undefined;
    // A synchronous wait blocks this thread: the message has to be out before it starts.
    await new Promise((resolve) => process.send('waiting', resolve));
    const guard = waiting ? await waiting : lock.acquireSync();
    const got = process.hrtime.bigint();
    guard.release();
    process.send({ got: String(got) });
  });
  process.on('disconnect', () => lock.close());
  process.send('ready');
}
