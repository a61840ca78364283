import { holdfast, python, rival } from './contestants.mjs';

const rivals = ['piscina', 'tinypool', 'workerpool'];
const processes = ['tinypool-process', 'workerpool-process', 'mp-pool', 'mp-executor'];
const metrics = ['latency', 'throughput', 'buffers'];

// Against threads the design asks for one and a half times their time at most; against processes,
// to be faster.
const comparisons = metrics.flatMap((metric) => [
  { metric, ours: 'pool', against: 'piscina', ceiling: 1.5, row: `Pool, ${metric}` },
  ...rivals.slice(1).map((against) => ({ metric, ours: 'pool', against })),
  ...processes.map((against) => ({
    metric,
    ours: 'pool',
    against,
    ceiling: 1,
    row: `Pool, ${metric}`,
  })),
]);

export const pool = {
  name: 'pool',
  onlyNamed: true,
  seconds: 120,
  title: 'pool: tasks in two workers',
  placements: [
    {
      args: () => [],
      metrics: { latency: 'latency', throughput: 'throughput', buffers: 'buffers' },
    },
  ],
  metrics: {
    latency: { title: 'an empty task, one after the other' },
    throughput: { title: 'an empty task, many at once' },
    buffers: { title: 'a Buffer of 1 MiB, of 1,000' },
  },

  contestants: {
    pool: holdfast('Pool', 'pool/holdfast.mjs'),
    piscina: rival('piscina (threads)', 'pool/piscina.mjs', 'piscina'),
    tinypool: rival('tinypool (threads)', 'pool/piscina.mjs', 'tinypool', 'worker_threads'),
    workerpool: rival('workerpool (threads)', 'pool/workerpool.mjs', 'thread'),
    'tinypool-process': rival(
      'tinypool (processes)',
      'pool/piscina.mjs',
      'tinypool',
      'child_process',
    ),
    'workerpool-process': rival('workerpool (processes)', 'pool/workerpool.mjs', 'process'),
    'mp-pool': python('Pool, fork', 'pool/mp.py', 'pool'),
    'mp-executor': python('ProcessPoolExecutor, fork', 'pool/mp.py', 'executor'),
  },

  comparisons,
};
