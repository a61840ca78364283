import { c, holdfast } from './contestants.mjs';

export const open = {
  name: 'open',
  seconds: 20,
  title: 'open: a Lock that nobody else has, opened and closed',
  placements: [
    {
      plays: ({ afterKill }) => !afterKill,
      args: () => [],
      metrics: { pair: 'pair' },
    },
    {
      plays: ({ afterKill }) => afterKill,
      args: () => [],
      metrics: { first: 'first' },
    },
  ],
  metrics: {
    pair: { title: 'open and close' },
    first: { title: 'first open after a process with 5,000 open locks was killed' },
  },

  contestants: {
    lock: holdfast('new Lock, lock.close', 'open/holdfast.mjs'),
    'c-lock': c('the calls of new Lock and lock.close', 'build/open-posix', 'lock'),
    'c-sem': c('sem_open, sem_unlink, sem_close', 'build/open-posix', 'sem'),
    first: { ...holdfast('new Lock', 'open/after-kill.mjs'), afterKill: true },
  },

  limits: [
    {
      id: 'first',
      metric: 'first',
      most: 20e6,
      row: 'first open after 5,000 locks of a killed process',
      text: 'time',
    },
  ],

  comparisons: [
    { ours: 'lock', against: 'c-sem', ceiling: 3, floor: 'c-lock', row: 'open and close a Lock' },
    { ours: 'lock', against: 'c-lock' },
  ].map((comparison) => ({ metric: 'pair', ...comparison })),
};
