import { holdfast, rival } from './contestants.mjs';

const program = 'recovery/holdfast.mjs';
const files = 'recovery/fs-native-extensions.mjs';
const KILLS_PER_ROUND = 3;
const TWO_SLICES_NS = 100_000_000;

const row = 'recovery after SIGKILL of the holder';

const ours = {
  'rlock-sync': 'RLock, acquireSync',
  'rlock-async': 'RLock, await acquire',
  'lock-sync': 'Lock, acquireSync',
  'lock-async': 'Lock, await acquire',
  'permit-sync': 'BoundedSemaphore of one, acquireSync',
  'permit-async': 'BoundedSemaphore of one, await acquire',
  'exclusive-sync': 'ReadWriteLock, acquireExclusiveSync',
  'exclusive-async': 'ReadWriteLock, await acquireExclusive',
  shared: 'ReadWriteLock, a reader dies, await acquireExclusive',
  consumer: 'Queue, a consumer dies, then a put: await get',
  producer: 'Queue, a producer dies, then a get: await put',
  lease: 'JoinableQueue, a lease: await take',
  barrier: 'Barrier, a party dies: await wait is told',
};

export const recovery = {
  name: 'recovery',
  seconds: 35,
  title: 'recovery: SIGKILL of the holder to the next acquisition, elsewhere',
  placements: [{ args: () => [KILLS_PER_ROUND], metrics: { recovery: 'recovery', exit: 'exit' } }],
  // There are few samples, and a limit on the worst of them. So they are summarised one by one, and
  // not by round.
  metrics: {
    recovery: { panel: 'acquired', title: '', quantiles: [0.5, 0.99, 1] },
    exit: { panel: 'holder gone (parent told)', title: '', quantiles: [0.5, 0.99, 1] },
  },
  contestants: {
    ...Object.fromEntries(
      Object.entries(ours).map(([id, label]) => [id, holdfast(label, program, id)]),
    ),
    'fs-sync': rival('fs-native-extensions waitForLockSync', files, 'sync'),
    'fs-async': rival('fs-native-extensions await waitForLock', files, 'async'),
  },
  comparisons: [
    // "At once": no later than the parent of the holder hears of its death.
    {
      ours: 'rlock-sync',
      metric: 'recovery',
      against: 'rlock-sync',
      againstMetric: 'exit',
      ceiling: 1,
      row,
    },
    { ours: 'lock-sync', metric: 'recovery', against: 'fs-sync' },
    { ours: 'lock-async', metric: 'recovery', against: 'fs-async' },
  ],
  // Slices count from the death. A busy machine takes long for a kill, and that is not the work of
  // the package.
  limits: Object.keys(ours)
    .filter((id) => id !== 'rlock-sync')
    .map((id) => ({
      id,
      metric: 'recovery',
      since: 'exit',
      most: TWO_SLICES_NS,
      row,
      text: 'max, after the holder was gone',
    })),
};
