// A package that people use for locks or jobs on an engine: a free lock and its release, or jobs in
// batches of 50.
import { Worker, Queue } from 'bullmq';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Redis } from 'ioredis';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { Mutex } from 'redis-semaphore';
import Redlock from 'redlock';
import { batch, jobTimes, timesOf, withServer } from './figures.mjs';

const [engine, rival] = process.argv.slice(2);
const ttl = 15_000;

/** Counts jobs that are done. */
class Doing {
  #left = 0;
  #pass;

  done() {
    if (--this.#left === 0) this.#pass();
  }

  /** Puts so many jobs, and waits until all are done. */
  async all(number, put) {
    this.#left = number;
    const passed = new Promise((resolve) => (this.#pass = resolve));
    await put();
    await passed;
  }
}

const rivals = {
  async redlock({ port }) {
    const client = new Redis(port, '127.0.0.1');
    const redlock = new Redlock([client]);
    const pair = await timesOf(async () => (await redlock.acquire(['it'], ttl)).release());
    client.disconnect();
    return { pair };
  },

  async 'redis-semaphore'({ port }) {
    const client = new Redis(port, '127.0.0.1');
    const mutex = new Mutex(client, 'it', { lockTimeout: ttl });
    const pair = await timesOf(async () => {
      await mutex.acquire();
      await mutex.release();
    });
    client.disconnect();
    return { pair };
  },

  async bullmq({ port }) {
    const connection = { host: '127.0.0.1', port };
    const doing = new Doing();
    const queue = new Queue('jobs', { connection });
    const worker = new Worker('jobs', async () => {}, {
      connection: { ...connection, maxRetriesPerRequest: null },
      concurrency: batch,
      removeOnComplete: { count: 0 },
    });
    worker.on('completed', () => doing.done());
    await worker.waitUntilReady();
    const job = await jobTimes((values) =>
      doing.all(batch, () => queue.addBulk(values.map((data) => ({ name: 'it', data })))),
    );
    await worker.close(true);
    await queue.close();
    return { job };
  },

  async 'pg-boss'({ url }) {
    const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue('jobs');
    const job = await jobTimes(async (values) => {
      await boss.insert(
        'jobs',
        values.map((value) => ({ data: { value } })),
      );
      const jobs = await boss.fetch('jobs', { batchSize: batch });
      await boss.complete(
        'jobs',
        jobs.map(({ id }) => id),
      );
    });
    await boss.stop({ graceful: false });
    return { job };
  },

  async 'graphile-worker'({ url }) {
    const doing = new Doing();
    const pgPool = new pg.Pool({ connectionString: url });
    pgPool.on('error', () => {});
    const server = { pgPool, logger: new Logger(() => () => {}) };
    const utils = await makeWorkerUtils(server);
    await utils.migrate();
    const runner = await run({
      ...server,
      noHandleSignals: true,
      taskList: { it: () => {} },
      // As its manual has it for speed.
      preset: { worker: { concurrentJobs: batch, localQueue: { size: batch } } },
    });
    runner.events.on('job:complete', () => doing.done());
    const job = await jobTimes((values) =>
      doing.all(batch, () =>
        utils.addJobs(values.map((value) => ({ identifier: 'it', payload: { value } }))),
      ),
    );
    await runner.stop();
    await utils.release();
    await pgPool.end();
    return { job };
  },
};

await withServer(engine, rivals[rival]);
process.exit();
