// Producers and consumers of the stress suites.
//   queue-stress.mjs produce <queue> <id> <items> <way> <seed>
//   queue-stress.mjs consume <queue> <way> <producers> <items of each>
//   queue-stress.mjs grow <queue> <seed>
//   queue-stress.mjs put-large <queue> <bytes>
import { Queue } from 'holdfast';
import { randomFrom, readStamp, stampLength, stamped } from './queue-agent.mjs';

const [role, name, ...args] = process.argv.slice(2);
const queue = new Queue({ name, mustExist: true });

/** 0 B to 1 MiB, most of them small. */
function lengthOf(random) {
  const kind = random();
  if (kind < 0.9) return Math.floor(random() * 64);
  if (kind < 0.99) return Math.floor(random() * 1024);
  if (kind < 0.9997) return Math.floor(random() * 16_384);
  return Math.floor(random() * (2 ** 20 - stampLength + 1));
}

async function produce(id, items, way, seed) {
  const random = randomFrom(seed);
  let next = 0;
  const make = () => stamped(id, next++, lengthOf(random));
  while (next < items) {
    if (way === 'putSync') queue.putSync(make());
    else if (way === 'put') await queue.put(make());
    else if (way === 'tryPut') {
      const item = make();
      if (!queue.tryPut(item)) await queue.put(item);
    } else {
      const batch = [];
      for (let n = Math.min(32, items - next); n > 0; n--) batch.push(make());
      await queue.putMany(batch);
    }
  }
}

async function consume(way, producers, items) {
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
  // Disconnecting throws away what has not been written yet.
  await new Promise((sent) => process.send({ ...report, seen }, sent));
}

function grow(seed) {
  const random = randomFrom(seed);
  for (let n = 0; n < 6000; n++) {
    // The items grow with the ring.
    const length = Math.floor(random() ** 6 * Math.min(1 << 20, 1000 + n * n));
    queue.putSync(stamped(1, n, length), { timeout: 30_000 });
  }
  queue.end();
}

if (role === 'produce') {
  const [id, items, way, seed] = args;
  await produce(Number(id), Number(items), way, Number(seed));
} else if (role === 'consume') {
  const [way, producers, items] = args;
  await consume(way, Number(producers), Number(items));
} else if (role === 'grow') {
  grow(Number(args[0]));
} else {
  const item = stamped(1, 4, Number(args[0]));
  process.send('ready', () => {
    queue.putSync(item);
    setInterval(() => {}, 1000); // until killed
  });
}
if (role !== 'put-large') {
  queue.close();
  if (process.connected) process.disconnect();
}
