// Some producers, some consumers: the clock of every Node contestant of `queue`. queue/mp.py and
// queue/crowd.h do the same.
//
// A contestant is two halves, and a process plays one of them:
//   first:  put(n, item), exchange(n, item) -> n round trips, close()
//   second: take(n), echo(n), close()
// Each may return a promise. A batch counts from just before its first put to just after its last
// message was received, by any consumer. CLOCK_MONOTONIC is one clock for all processes of a
// machine. Each producer puts the same share, and each consumer takes the same share. The next
// batch starts when all consumers are ready for it, and the clock does not run until then. If there
// are several, none may begin earlier, because it would take the share of another.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tell } from '../tell.mjs';

const BATCHES = 3;

const object = { id: 123456, name: 'a small object', list: [1, 2, 3] };
export const items = {
  string: 'sixteen bytes, 1',
  object,
  // Buffer.alloc(), because a pooled Buffer would move its whole pool through a MessagePort.
  kib: Buffer.alloc(1024, 'x'),
  kib64: Buffer.alloc(65536, 'x'),
  mib: Buffer.alloc(1 << 20, 'x'),
  roundTrip: object,
};

/** `<variant> <payload> <producers> <consumers> <warm-up> <messages> [name role]`. */
export function planOf([variant, payload, producers, consumers, warmUp, messages, name, role]) {
  return {
    variant,
    payload,
    producers: Number(producers),
    consumers: Number(consumers),
    batches: [Number(warmUp), ...Array(BATCHES).fill(Number(messages))],
    name,
    role,
    roundTrip: payload === 'roundTrip',
  };
}

/**
 * Plays the variant on the command line. This process is the first producer; the others are forked
 * from `file`.
 */
export async function play(file, variants) {
  const args = process.argv.slice(2);
  const plan = planOf(args);
  const variant = variants[plan.variant];
  if (!variant) throw new Error(`variants: ${Object.keys(variants).join(', ')}`);
  if (plan.role === 'consumer') {
    await follow(await variant.second(plan.name), plan, tell);
    return process.disconnect();
  }
  if (plan.role === 'producer') return help(await variant.first(plan.name), plan);

  const name = `bench-${process.pid}`;
  // A contestant that needs a server starts it here, before a process connects to it.
  const stop = await variant.prepare?.(name);
  const { serialization } = variant;
  const start = (role) => fork(file, [...args, name, role], { serialization });
  const consumers = Array.from({ length: plan.consumers }, () => start('consumer'));
  const producers = Array.from({ length: plan.producers - 1 }, () => start('producer'));
  const ends = [...consumers, ...producers].map((child) => once(child, 'exit'));
  await drive(await variant.first(name, consumers[0]), plan, consumers, producers);
  const codes = (await Promise.all(ends)).map(([code]) => code);
  if (codes.some((code) => code !== 0)) throw new Error(`a child ended with ${codes}`);
  await stop?.();
}

/** The side with the clock. Consumers and producers emit a 'message' for each thing they tell. */
export async function drive(player, plan, consumers, producers = []) {
  const { payload, batches, roundTrip } = plan;
  const item = items[payload];
  const all = [...consumers, ...producers];
  await Promise.all(all.map((peer) => once(peer, 'message')));
  const perMessage = [];
  for (const n of batches) {
    if (consumers.length > 1) await allow(consumers);
    const answers = roundTrip ? [] : consumers.map((peer) => once(peer, 'message'));
    const share = n / plan.producers;
    const start = process.hrtime.bigint();
    for (const producer of producers) producer.send(share);
    await (roundTrip ? player.exchange(n, item) : player.put(share, item));
    const ends = (await Promise.all(answers)).map(([end]) => Number(BigInt(end) - start));
    const took = roundTrip ? Number(process.hrtime.bigint() - start) : Math.max(...ends);
    perMessage.push(took / n);
  }
  await player.close();
  for (const producer of producers) producer.disconnect();
  console.log(JSON.stringify({ perMessage: perMessage.slice(1) }));
}

function allow(consumers) {
  return Promise.all(
    consumers.map((consumer) => {
      const answer = once(consumer, 'message');
      consumer.send('begin');
      return answer;
    }),
  );
}

/** One more producer: puts as many as it is told. */
async function help(player, { payload }) {
  process.on('message', (n) => player.put(n, items[payload]));
  process.once('disconnect', () => player.close());
  await tell('ready');
}

export async function follow(player, { batches, roundTrip, consumers }, say) {
  await say('ready');
  for (const n of batches) {
    if (consumers > 1) {
      await once(process, 'message');
      await say('beginning');
    }
    await (roundTrip ? player.echo(n) : player.take(n / consumers));
    // A synchronous consumer blocks this thread right after this, so the message must have left by
    // then.
    if (!roundTrip) await say(String(process.hrtime.bigint()));
  }
  await player.close();
}

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
