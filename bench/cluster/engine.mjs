// One engine of a cluster, on a server of its own: `raw` is a round trip of its client; `holdfast`
// is a request of a free lock with its release, which are two commands; jobs in batches of 50; and
// a lock that goes through the hands of many requests of one process that all wait for it.
import http from 'node:http';
import { createRequire } from 'node:module';
import { connect } from '../holdfast.mjs';
import { batch, jobTimes, timesOf, withServer } from './figures.mjs';

// The same clients that holdfast takes, and not those of the rivals.
const require = createRequire(new URL('../../package.json', import.meta.url));
const { Redis } = require('ioredis');
const pg = require('pg');

const [engine, what] = process.argv.slice(2);
/** On etcd each of them is a commit on the disk, or several. */
const waiters = engine === 'etcd' ? 200 : 1000;

/** A round trip of each client, and how to end it. */
const clients = {
  async postgres({ url }) {
    const client = new pg.Client(url);
    await client.connect();
    return {
      trip: () => client.query({ name: 'trip', text: 'select 1' }),
      end: () => client.end(),
    };
  },
  async redis({ port }) {
    const client = new Redis(port, '127.0.0.1');
    return { trip: () => client.get('key'), end: () => client.disconnect() };
  },
  async etcd({ url }) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const body = JSON.stringify({ key: 'a2V5', value: 'dmFsdWU=' });
    const target = new URL('/v3/kv/put', url.replace('etcd:', 'http:'));
    const trip = () =>
      new Promise((resolve, reject) => {
        const request = http.request(target, { method: 'POST', agent }, (response) => {
          response.on('end', resolve).resume();
        });
        request.on('error', reject).end(body);
      });
    return { trip, end: () => agent.destroy() };
  },
};

async function raw(server) {
  const { trip, end } = await clients[engine](server);
  const pair = await timesOf(trip);
  await end();
  return { pair };
}

/** Nanoseconds for each of the requests, from the first release to the last one. */
async function timeOfWaiters(locks) {
  const hold = await locks.acquire('it');
  const waits = Array.from({ length: waiters }, () => locks.request('it', () => {}));
  while ((await locks.query()).pending.length < waiters);
  const began = process.hrtime.bigint();
  await hold.release();
  await Promise.all(waits);
  return Number(process.hrtime.bigint() - began) / waiters;
}

async function holdfast({ url }) {
  // So many requests at once are answered late.
  const cluster = await connect(url, { commandTimeout: 60_000 });
  const queue = cluster.queue('jobs');
  const work = async (values) => {
    await queue.putMany(values);
    const tasks = await queue.take({ max: batch });
    await Promise.all(tasks.map((task) => task.done()));
  };
  const pair = await timesOf(() => cluster.locks.request('it', () => {}));
  const figures = { pair, job: await jobTimes(work), waiter: [await timeOfWaiters(cluster.locks)] };
  await cluster.close();
  return figures;
}

await withServer(engine, what === 'raw' ? raw : holdfast);
