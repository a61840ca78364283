// A million items, four producers and four consumers. Each of the eight is a process, and uses a
// method of its own. Every item is delivered once, in the order of its producer, within the given
// memory.
import assert from 'node:assert/strict';
import { newProcess, now, random } from '../../support/index.js';
import { bytesStored, headerBytes, open } from '../../support/queue.js';

const items = 1_000_000;
const producers = 4;
const each = items / producers;
const maxBytes = 4 * 2 ** 20;
const watchdogMs = 150_000;

interface Report {
  count: number;
  bytes: number;
  torn: number;
  twice: number;
  disorder: number;
  seen: Uint8Array[];
}

describe('Queue: a million items', () => {
  it('4 producers x 4 consumers: each item once, in order, within maxBytes', async function () {
    this.timeout(watchdogMs + 10_000);
    const chance = random('a million items');
    const queue = open({ codec: 'buffer', maxBytes });
    const startedAt = now();
    const start = async () => {
      const actor = await newProcess();
      return { actor, queue: await actor.attach(queue.toJSON()) };
    };
    const ways = {
      get: ['getSync', 'get', 'getMany', 'iterate'],
      put: ['putSync', 'put', 'tryPut', 'putMany'],
    };
    const consuming = ways.get.map(async (way) => {
      const { actor, queue } = await start();
      const args = { queue, way, producers, items: each };
      return actor.act<Report>('consumeItems', args, watchdogMs);
    });
    const producing = ways.put.map(async (way, producer) => {
      const { actor, queue } = await start();
      const args = { queue, producer, items: each, way, seed: chance.whole(0, 2 ** 31) };
      return actor.act('produceItems', args, watchdogMs);
    });
    let stored = 0;
    let longest = 0;
    const looking = setInterval(() => {
      stored = Math.max(stored, bytesStored(queue));
      longest = Math.max(longest, queue.size());
    }, 20);
    let reports: Report[];
    try {
      await Promise.all(producing);
      queue.end();
      reports = await Promise.all(consuming);
    } finally {
      clearInterval(looking);
    }
    const took = now() - startedAt;
    stored = Math.max(stored, bytesStored(queue));

    const sum = (what: 'count' | 'bytes' | 'torn' | 'twice' | 'disorder') =>
      reports.reduce((total, report) => total + report[what], 0);
    console.log(
      `      ${items} items, ${(sum('bytes') / 2 ** 20).toFixed(0)} MiB in ${(took / 1000).toFixed(1)} s; ` +
        `consumers took ${reports.map(({ count }) => count).join(', ')}; ` +
        `stored at most ${(stored / 2 ** 20).toFixed(2)} MiB, ${longest} items waiting at most`,
    );
    assert.deepEqual(
      { torn: sum('torn'), twice: sum('twice'), disorder: sum('disorder'), count: sum('count') },
      { torn: 0, twice: 0, disorder: 0, count: items },
    );
    for (let id = 0; id < producers; id++) {
      const seen = new Uint8Array(each / 8);
      for (const report of reports) {
        const theirs = report.seen[id]!;
        for (let i = 0; i < seen.length; i++) {
          assert.equal(seen[i]! & theirs[i]!, 0, 'delivered to two consumers');
          seen[i]! |= theirs[i]!;
        }
      }
      assert.ok(
        seen.every((byte) => byte === 255),
        `items of producer ${id} are missing`,
      );
    }
    assert.ok(stored <= maxBytes + headerBytes, `${stored} bytes stored`);
    const { puts, gets, size } = queue.inspect();
    assert.deepEqual({ puts, gets, size }, { puts: items, gets: items, size: 0 });
  });
});
