// Many items through one queue, of all sizes and by all ways to put and get.
import { random } from '../../random.mjs';
import { readStamp, stampLength, stamped } from '../../stamped.mjs';

/** 0 B to 1 MiB, most of them small. */
function lengthOf({ next, below }) {
  const kind = next();
  if (kind < 0.9) return below(64);
  if (kind < 0.99) return below(1024);
  if (kind < 0.9997) return below(16_384);
  return below(2 ** 20 - stampLength + 1);
}

/** Puts that many stamped items. */
export async function produceItems({ queue, producer, items, way, seed }) {
  const chance = random(seed);
  let sequence = 0;
  const make = () => stamped(producer, sequence++, lengthOf(chance));
  while (sequence < items) {
    if (way === 'putSync') queue.putSync(make());
    else if (way === 'put') await queue.put(make());
    else if (way === 'tryPut') {
      const item = make();
      if (!queue.tryPut(item)) await queue.put(item);
    } else {
      const batch = [];
      for (let n = Math.min(32, items - sequence); n > 0; n--) batch.push(make());
      await queue.putMany(batch);
    }
  }
}

/**
 * Gets stamped items until the queue is ended. Reports which items came, and what was wrong with
 * them.
 */
export async function consumeItems({ queue, way, producers, items }) {
  const seen = Array.from({ length: producers }, () => new Uint8Array(Math.ceil(items / 8)));
  const last = seen.map(() => -1);
  const report = { count: 0, bytes: 0, torn: 0, twice: 0, disorder: 0 };
  const take = (item) => {
    report.count++;
    report.bytes += item.length;
    const stamp = readStamp(item);
    if (stamp === undefined || stamp.producer >= producers || stamp.sequence >= items) {
      report.torn++;
      return;
    }
    const { producer, sequence } = stamp;
    const bit = 1 << (sequence & 7);
    if (seen[producer][sequence >> 3] & bit) report.twice++;
    seen[producer][sequence >> 3] |= bit;
    if (sequence <= last[producer]) report.disorder++;
    last[producer] = sequence;
  };
  try {
    for (;;) {
      if (way === 'getSync') take(queue.getSync());
      else if (way === 'get') take(await queue.get());
      else if (way === 'getMany') (await queue.getMany(32)).forEach(take);
      else {
        for await (const item of queue) take(item);
        break;
      }
    }
  } catch (error) {
    if (error.code !== 'ERR_HOLDFAST_ENDED') throw error;
  }
  return { ...report, seen };
}

/** Puts items that grow with the ring, then ends the queue. */
export function putGrowing({ queue, seed }) {
  const { next } = random(seed);
  for (let n = 0; n < 6000; n++) {
    const length = Math.floor(next() ** 6 * Math.min(1 << 20, 1000 + n * n));
    queue.putSync(stamped(1, n, length), { timeout: 30_000 });
  }
  queue.end();
}
