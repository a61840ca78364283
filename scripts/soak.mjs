// The chaos soak: processes with a worker thread each do random operations on one object of every
// kind, while others of them are killed, stopped and continued, and their workers terminated. What
// must hold is checked by words that no lock guards (test/soak/layout.mjs).
//
//   npm run soak -- --minutes 30 --seed 7
//   npm run soak -- --platform=posix           the other half of the code
//   npm run soak -- --histories                histories of queues: can each be explained?
//   npm run soak -- --locks --kills 500        kills of those that hold and request named locks
//   npm run soak -- --deadlocks 10000          so many random programs that may deadlock
//   npm run soak -- --pool --tasks 100000       tasks in a Pool whose workers are killed
//   npm run soak -- --cluster redis            an engine of clusters: redis, etcd or postgres
//
// The same seed makes the same choices. The machine decides at which moments they happen.
// HOLDFAST_SEED gives a seed, too. The last line is `N passed, N failed`.
import { parseArgs } from 'node:util';
import { buildAddon } from './build.mjs';
import { die, root } from './common.mjs';
import { drive, runDriver } from './drive.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';
import { chooseSeed } from '../test/programs/random.mjs';
import { seats } from '../test/soak/layout.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(chooseSeed()) },
    processes: { type: 'string', default: '6' },
    platform: { type: 'string', default: hostPlatform },
    histories: { type: 'boolean', default: false },
    locks: { type: 'boolean', default: false },
    kills: { type: 'string', default: '500' },
    deadlocks: { type: 'string' },
    pool: { type: 'boolean', default: false },
    tasks: { type: 'string', default: '100000' },
    cluster: { type: 'string' },
  },
});
const { platform, cluster } = values;
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const processes = Number(values.processes);
const kills = fromOne('kills');
const tasks = fromOne('tasks');
const programs = values.deadlocks === undefined ? undefined : fromOne('deadlocks');
if (!(minutes > 0)) die('--minutes is a number above 0');
if (!Number.isInteger(seed)) die('--seed is a whole number');
if (cluster !== undefined && !['redis', 'etcd', 'postgres'].includes(cluster)) {
  die('--cluster is redis, etcd or postgres');
}
if (!Number.isInteger(processes) || processes < 1 || 2 * processes > seats) {
  die(`--processes is 1 to ${seats / 2}`);
}

function fromOne(name) {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) die(`--${name} is a whole number from 1`);
  return number;
}

const sandbox = new Sandbox();
await drive(sandbox, async () => {
  const env = { ...sandbox.env };
  if (platform !== hostPlatform) env.HOLDFAST_NATIVE = await buildAddon({ platform });
  const drivers = {
    locks: 'lock-kills',
    histories: 'histories',
    pool: 'pool-kills',
    cluster: 'cluster',
    deadlocks: 'deadlocks',
  };
  const chosen = Object.keys(drivers).find((name) => values[name]);
  const driver = chosen === undefined ? 'driver' : drivers[chosen];
  const plan = { minutes, seed, processes, platform, kills, tasks, cluster, programs };
  return runDriver(`${root}/test/soak/${driver}.mjs`, plan, env);
});
process.exit();
