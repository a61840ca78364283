// What every program of this directory measures, and prints as one line of JSON.
import { EtcdServer } from '../../test/cluster/servers/etcd.mjs';
import { PostgresServer } from '../../test/cluster/servers/postgres.mjs';
import { RedisServer } from '../../test/cluster/servers/redis.mjs';

const servers = { postgres: PostgresServer, redis: RedisServer, etcd: EtcdServer };
const warmUp = 300;
const samples = 1000;
const warmUpRounds = 5;
const rounds = 40;
/** How many jobs are put at once. */
export const batch = 50;

/** Starts a server of the engine, prints what `measure` resolves to, and removes the server. */
export async function withServer(engine, measure) {
  const server = await new servers[engine]().start();
  try {
    console.log(JSON.stringify(await measure(server)));
  } finally {
    await server.remove();
  }
}

/** Nanoseconds of each call. */
export async function timesOf(step) {
  for (let i = 0; i < warmUp; i++) await step();
  const times = [];
  for (let i = 0; i < samples; i++) {
    const began = process.hrtime.bigint();
    await step();
    times.push(Number(process.hrtime.bigint() - began));
  }
  return times;
}

/** Nanoseconds for each job, in batches: `work` puts the values, and resolves when all are done. */
export async function jobTimes(work) {
  const values = Array.from({ length: batch }, (_, i) => i);
  const times = [];
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const began = process.hrtime.bigint();
    await work(values);
    times.push(Number(process.hrtime.bigint() - began) / batch);
  }
  return times.slice(warmUpRounds);
}
