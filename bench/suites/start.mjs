import { holdfast, node, python } from './contestants.mjs';

const ours = 'start/holdfast.mjs';
const mp = 'start/mp.py';
const STARTS_PER_ROUND = 2;

export const start = {
  name: 'start',
  seconds: 25,
  title: 'start: from new Process(...).start() to the target running',
  placements: [{ args: () => [STARTS_PER_ROUND], metrics: { start: 'start' } }],
  metrics: { start: { title: 'per start' } },

  contestants: {
    spawn: holdfast('Process, spawn', ours, 'spawn'),
    forkserver: holdfast('Process, forkserver', ours, 'forkserver'),
    'forkserver-preload': holdfast('Process, forkserver, preload', ours, 'forkserver-preload'),
    fork: node('child_process.fork', 'start/fork.mjs'),
    'fork-holdfast': node(
      'child_process.fork of a file that imports holdfast',
      'start/fork.mjs',
      'imports',
    ),
    'mp-spawn': python('Process, spawn', mp, 'spawn'),
    'mp-forkserver': python('Process, forkserver', mp, 'forkserver'),
  },

  comparisons: [
    { ours: 'spawn', against: 'fork', ceiling: 1.2, floor: 'fork-holdfast', row: 'Process, spawn' },
    { ours: 'spawn', against: 'fork-holdfast' },
    { ours: 'forkserver', against: 'fork' },
    { ours: 'forkserver-preload', against: 'fork' },
    { ours: 'spawn', against: 'mp-spawn' },
    { ours: 'forkserver', against: 'mp-forkserver' },
    { ours: 'forkserver-preload', against: 'mp-forkserver' },
    { ours: 'forkserver', against: 'spawn' },
  ].map((comparison) => ({ metric: 'start', ...comparison })),
};
