// One producer, one consumer: the clock of every Node contestant of `queue`. queue/mp.py and
// queue/boost.cc do the same.
//
// A contestant is two halves. The first side produces and keeps the clock, the second consumes:
//   first:  put(n, item), exchange(n, item) -> n round trips, close()
//   second: take(n), echo(n), close()
// Each may return a promise. A batch counts from just before its first put to just after its last
// message was received, in the consumer; CLOCK_MONOTONIC is one clock for all processes of a machine. The
// next batch starts when the consumer has said so, outside of the clock.

import { fork } from 'node:child_process';
import { once } from 'node:events';

const BATCHES = 3;

const object = { id: 123456, name: 'a small object', list: [1, 2, 3] };
const items = {
  string: 'sixteen bytes, 1',
  object,
  // Buffer.alloc(), because a pooled Buffer would take its whole pool through a MessagePort.
  kib: Buffer.alloc(1024, 'x'),
  kib64: Buffer.alloc(65536, 'x'),
  roundTrip: object,
};

/** `<variant> <payload> <warm-up> <messages> [name]`, of which the second side is given the name. */
export function planOf([variant, payload, warmUp, messages, name]) {
  const batches = [Number(warmUp), ...Array(BATCHES).fill(Number(messages))];
  return { variant, payload, batches, name, roundTrip: payload === 'roundTrip' };
}

/** Plays the variant on the command line, with the second side in a process forked from `file`. */
export async function play(file, variants) {
  const args = process.argv.slice(2);
  const plan = planOf(args);
  const variant = variants[plan.variant];
  if (!variant) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  if (plan.name !== undefined) {
    await follow(await variant.second(plan.name), plan, tell);
    process.disconnect();
    return;
  }
  const name = `bench-${process.pid}`;
  const child = fork(file, [...args, name], { serialization: variant.serialization });
  const ended = once(child, 'exit');
  await drive(await variant.first(name, child), plan, child);
  const [code] = await ended;
  if (code !== 0) throw new Error(`the consumer ended with ${code}`);
}

/** The side with the clock. `peer` emits a 'message' for each thing that the other tells. */
export async function drive(player, { payload, batches, roundTrip }, peer) {
  const item = items[payload];
  await once(peer, 'message');
  const perMessage = [];
  for (const n of batches) {
    const answer = roundTrip ? undefined : once(peer, 'message');
    const start = process.hrtime.bigint();
    await (roundTrip ? player.exchange(n, item) : player.put(n, item));
    const end = answer ? BigInt((await answer)[0]) : process.hrtime.bigint();
    perMessage.push(Number(end - start) / n);
  }
  await player.close();
  console.log(JSON.stringify({ perMessage: perMessage.slice(1) }));
}

export async function follow(player, { batches, roundTrip }, say) {
  await say('ready');
  for (const n of batches) {
    await (roundTrip ? player.echo(n) : player.take(n));
    // A synchronous consumer blocks this thread right after: the message must have left by then.
    if (!roundTrip) await say(String(process.hrtime.bigint()));
  }
  await player.close();
}

const tell = (message) =>
  new Promise((resolve, reject) => {
    process.send(message, (error) => (error ? reject(error) : resolve()));
  });

/** The half of an event emitter's contestant that receives: waits for n messages. */
export function receiver(emitter, each) {
  let left = 0;
  let done;
  emitter.on('message', (message) => {
    each?.(message);
    if (--left === 0) done();
  });
  return (n) => {
    left = n;
    return new Promise((resolve) => (done = resolve));
  };
}
