const program = 'cluster/engine.mjs';
const rivalProgram = 'cluster/rival.mjs';
const engines = { postgres: 'PostgreSQL', redis: 'Redis', etcd: 'etcd' };

/** A request with its release is two commands. Each may take so many round trips. */
const ceilings = { postgres: 2 * 2.5, redis: 2 * 2.5, etcd: 2 * 1.6 };

const contestants = {};
for (const [engine, title] of Object.entries(engines)) {
  const command = [process.execPath, program, engine];
  const needs = ['holdfast', `${engine}Server`];
  contestants[`raw-${engine}`] = {
    label: `${title}, one round trip of its client`,
    needs,
    command: [...command, 'raw'],
  };
  contestants[engine] = { label: `holdfast on ${title}`, needs, command: [...command, 'holdfast'] };
}

/** What each of them does is in bench/cluster/rival.mjs. */
const rivals = {
  redlock: ['redis', 'a lock'],
  'redis-semaphore': ['redis', 'a lock'],
  bullmq: ['redis', 'jobs'],
  'pg-boss': ['postgres', 'jobs'],
  'graphile-worker': ['postgres', 'jobs'],
};
for (const [rival, [engine, what]] of Object.entries(rivals)) {
  contestants[rival] = {
    label: `${rival}: ${what} on ${engines[engine]}`,
    needs: ['clusterRivals', `${engine}Server`],
    command: [process.execPath, rivalProgram, engine, rival],
  };
}

/** It runs only by name, because it starts servers. */
export const cluster = {
  name: 'cluster',
  onlyNamed: true,
  seconds: 60,
  title: 'cluster: a lock on an engine, request and release; jobs in batches of 50; many waiters',
  placements: [{ args: () => [], metrics: { pair: 'pair', job: 'job', waiter: 'waiter' } }],
  metrics: {
    pair: { title: 'per pair, or trip' },
    job: { title: 'per job, put to done', rate: true },
    waiter: { title: 'per waiter (1,000; etcd 200)' },
  },
  contestants,
  comparisons: [
    ...Object.keys(engines).map((engine) => ({
      metric: 'pair',
      ours: engine,
      against: `raw-${engine}`,
      ceiling: ceilings[engine],
      row: `a lock on ${engines[engine]}, in round trips`,
    })),
    ...Object.entries(rivals).map(([rival, [engine, what]]) => ({
      metric: what === 'jobs' ? 'job' : 'pair',
      ours: engine,
      against: rival,
    })),
  ],
  limits: [
    {
      id: 'postgres',
      metric: 'waiter',
      most: 6e6,
      text: 'PostgreSQL: 1,000 waiters, each',
      row: '1,000 waiters',
    },
    { id: 'postgres', metric: 'job', most: 1e5, text: 'PostgreSQL: jobs, each', row: 'jobs' },
    { id: 'redis', metric: 'job', most: 1e9 / 30_000, text: 'Redis: jobs, each', row: 'jobs' },
  ],
};
