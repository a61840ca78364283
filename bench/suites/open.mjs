import { c, holdfast } from './contestants.mjs';

export const open = {
  name: 'open',
  seconds: 6,
  title: 'open: a Lock that nobody else has, opened and closed',
  placements: [{ args: () => [], metrics: { pair: 'pair' } }],
  metrics: { pair: { title: 'open and close' } },

  contestants: {
    lock: holdfast('new Lock, lock.close', 'open/holdfast.mjs'),
    'c-lock': c('the calls of new Lock and lock.close', 'build/open-posix', 'lock'),
    'c-sem': c('sem_open, sem_unlink, sem_close', 'build/open-posix', 'sem'),
  },

  comparisons: [
    { ours: 'lock', against: 'c-sem', ceiling: 3, floor: 'c-lock', row: 'open and close a Lock' },
    { ours: 'lock', against: 'c-lock' },
  ].map((comparison) => ({ metric: 'pair', ...comparison })),
};
