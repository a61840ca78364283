const program = 'cluster/engine.mjs';
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

/** It runs only by name, because it starts servers. */
export const cluster = {
  name: 'cluster',
  onlyNamed: true,
  seconds: 60,
  title: 'cluster: a lock on an engine, request and release; jobs in batches of 50',
  placements: [{ args: () => [], metrics: { pair: 'pair', job: 'job' } }],
  metrics: { pair: { title: 'per pair, or trip' }, job: { title: 'per job, put to done' } },
  contestants,
  comparisons: Object.keys(engines).map((engine) => ({
    metric: 'pair',
    ours: engine,
    against: `raw-${engine}`,
    ceiling: ceilings[engine],
    row: `a lock on ${engines[engine]}, in round trips`,
  })),
};
