import { c, holdfast, python, rival } from './contestants.mjs';

const ours = ['--expose-gc', 'memory/holdfast.mjs'];
const mp = 'memory/mp.py';

const steps = [1, 100, 10_000];
// Ten thousand objects of one kind are enough. Ten thousand queues, of at least 64 KiB each, would
// measure the machine.
const fewer = [1, 100];

const figures = {
  open: { panel: 'to open one' },
  resident: { panel: 'resident memory each', unit: 'bytes' },
  shared: { panel: 'shared memory each', unit: 'bytes' },
  descriptors: { panel: 'descriptors each', unit: 'count' },
};
const metrics = Object.fromEntries(
  Object.entries(figures).flatMap(([what, figure]) =>
    steps.map((n) => [`${what}-${n}`, { title: `of ${n.toLocaleString('en')}`, ...figure }]),
  ),
);

const pairs = [
  { ours: 'lock', against: 'c-sem' },
  { ours: 'lock', against: 'mp-lock' },
  { ours: 'lock', against: 'fs' },
  { ours: 'rlock', against: 'mp-rlock' },
  { ours: 'semaphore', against: 'mp-semaphore' },
  { ours: 'event', against: 'mp-event' },
];

export const memory = {
  name: 'memory',
  seconds: 20,
  title: 'memory: what an object costs to have open, with so many of them',
  placements: [
    {
      args: ({ steps: own = steps }) => own,
      metrics: Object.fromEntries(Object.keys(metrics).map((id) => [id, id])),
    },
  ],
  metrics,

  contestants: {
    lock: holdfast('Lock', ...ours, 'lock'),
    rlock: { ...holdfast('RLock', ...ours, 'rlock'), steps: fewer },
    semaphore: { ...holdfast('Semaphore', ...ours, 'semaphore'), steps: fewer },
    event: { ...holdfast('Event', ...ours, 'event'), steps: fewer },
    queue: { ...holdfast('Queue', ...ours, 'queue'), steps: fewer },
    'mp-lock': python('mp.Lock', mp, 'lock'),
    'mp-rlock': { ...python('mp.RLock', mp, 'rlock'), steps: fewer },
    'mp-semaphore': { ...python('mp.Semaphore', mp, 'semaphore'), steps: fewer },
    'mp-event': { ...python('mp.Event', mp, 'event'), steps: fewer },
    'mp-queue': { ...python('mp.SimpleQueue', mp, 'queue'), steps: fewer },
    'c-sem': c('sem_open', 'build/memory-posix'),
    fs: rival('fs-native-extensions, a file', '--expose-gc', 'memory/fs-native-extensions.mjs'),
  },

  comparisons: pairs.flatMap((pair) => [
    { metric: 'open-100', ...pair },
    // Left out if there are not that many.
    { metric: 'open-10000', ...pair },
  ]),
};
