// One engine of a cluster, on a server of its own: `raw` is a round trip of its client; `holdfast`
// is a request of a free lock with its release, which are two commands, and jobs in batches of 50.
import http from 'node:http';
import { Redis } from 'ioredis';
import pg from 'pg';
import { connect } from '../holdfast.mjs';
import { EtcdServer } from '../../test/cluster/servers/etcd.mjs';
import { PostgresServer } from '../../test/cluster/servers/postgres.mjs';
import { RedisServer } from '../../test/cluster/servers/redis.mjs';

const [engine, what] = process.argv.slice(2);
const warmUp = 300;
const samples = 1000;
const rounds = 40;
const batch = 50;

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

const servers = { postgres: PostgresServer, redis: RedisServer, etcd: EtcdServer };

async function timesOf(step) {
  for (let i = 0; i < warmUp; i++) await step();
  const times = [];
  for (let i = 0; i < samples; i++) {
    const began = process.hrtime.bigint();
    await step();
    times.push(Number(process.hrtime.bigint() - began));
  }
  return times;
}

/** Nanoseconds for each job: put, taken and done in batches. */
async function jobTimes(cluster) {
  const queue = cluster.queue('jobs');
  const values = Array.from({ length: batch }, (_, i) => i);
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const began = process.hrtime.bigint();
    await queue.putMany(values);
    const tasks = await queue.take({ max: batch });
    await Promise.all(tasks.map((task) => task.done()));
    times.push(Number(process.hrtime.bigint() - began) / batch);
  }
  return times;
}

const server = await new servers[engine]().start();
try {
  if (what === 'raw') {
    const { trip, end } = await clients[engine](server);
    console.log(JSON.stringify({ pair: await timesOf(trip) }));
    await end();
  } else {
    const cluster = await connect(server.url);
    const pair = await timesOf(() => cluster.locks.request('it', () => {}));
    console.log(JSON.stringify({ pair, job: await jobTimes(cluster) }));
    await cluster.close();
  }
} finally {
  await server.remove();
}
