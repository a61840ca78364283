import { holdfast } from './contestants.mjs';

const program = 'lock/held.mjs';

/** It runs only by name, because it is not in the report. */
export const held = {
  name: 'held',
  onlyNamed: true,
  seconds: 30,
  title: 'held: a LockManager while so many names are held',
  placements: [
    {
      args: () => [],
      metrics: { pair: 'pair', cpu: 'cpu', query: 'query', shared: 'shared', resident: 'resident' },
    },
  ],
  metrics: {
    pair: { title: 'request and release, any name' },
    cpu: { panel: 'processor time of that', title: 'processor time' },
    query: { panel: 'query() of all', title: 'query()' },
    shared: { panel: 'shared memory each', title: 'shared', unit: 'bytes' },
    resident: { panel: 'resident memory each', title: 'resident', unit: 'bytes' },
  },
  contestants: {
    few: holdfast('100 names held', '--expose-gc', program, 100),
    many: holdfast('100,000 names held', '--expose-gc', program, 100_000),
  },
  comparisons: ['pair', 'cpu'].map((metric) => ({ metric, ours: 'many', against: 'few' })),
};
