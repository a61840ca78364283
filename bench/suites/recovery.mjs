import { holdfast } from './contestants.mjs';

const program = 'recovery/holdfast.mjs';
const KILLS_PER_ROUND = 2;
const TWO_SLICES_NS = 100_000_000;

export const recovery = {
  name: 'recovery',
  title: 'recovery: SIGKILL of the holder to the next acquisition, elsewhere',
  placements: [{ args: () => [KILLS_PER_ROUND], metrics: { recovery: 'recovery', exit: 'exit' } }],
  // Few samples and a limit on the worst of them: these are summarised one by one, not by round.
  metrics: {
    recovery: { title: 'acquired', pooled: true },
    exit: { title: 'holder gone (parent told)', pooled: true },
  },
  contestants: {
    'rlock-sync': holdfast('RLock, acquireSync', program, 'rlock-sync'),
    'lock-sync': holdfast('Lock, acquireSync', program, 'lock-sync'),
    'lock-async': holdfast('Lock, await acquire', program, 'lock-async'),
    'rlock-async': holdfast('RLock, await acquire', program, 'rlock-async'),
  },
  // "At once": no later than the parent of the holder hears of its death.
  comparisons: [
    {
      ours: 'rlock-sync',
      metric: 'recovery',
      against: 'rlock-sync',
      againstMetric: 'exit',
      ceiling: 1,
    },
  ],
  // Slices count from the death, and a machine that is busy takes its time to kill: that is not ours.
  limits: ['lock-sync', 'lock-async', 'rlock-async'].map((id) => ({
    id,
    metric: 'recovery',
    since: 'exit',
    maxNs: TWO_SLICES_NS,
    text: 'max, after the holder was gone',
  })),
};
