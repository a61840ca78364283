import { c, helperThread, holdfast, python, redis, rival } from './contestants.mjs';

const ours = 'handover/holdfast.mjs';
const mp = 'handover/mp.py';
const posix = 'build/handover-posix';
const helper = 'handover/helper-thread.mjs';
const files = 'handover/fs-native-extensions.mjs';

// In exchanges: the warm-up (until the compilers are done), a batch of tens of milliseconds, and
// those that are stamped one by one.
const quick = { warmUp: 20_000, oneCore: 2000, twoCores: 400, single: 500, asleep: 100 };
const slow = { warmUp: 1000, oneCore: 400, twoCores: 200, single: 250, asleep: 100 };
const polling = { warmUp: 10, oneCore: 10, twoCores: 10, single: 15, asleep: 15 };

// On one core the figure of a sleeper is not shown, but match.mjs uses it to check the turns.
const SANITY = 10;

// The CPUs on which the two processes run decide the figure more than their code does. So the suite
// chooses the CPUs, and not the scheduler.
export const placements = [
  {
    cpus: ['last', 'last'],
    args: ({ turns = quick }) => [turns.warmUp, turns.oneCore, turns.single, SANITY],
    metrics: { pingPong: 'oneCore', single: 'oneCoreSingle' },
  },
  {
    cpus: ['last', 'last but one'],
    args: ({ turns = quick }) => [turns.warmUp, turns.twoCores, turns.single, turns.asleep],
    metrics: { pingPong: 'twoCores', single: 'twoCoresSingle', asleep: 'asleep' },
  },
];

const quantiles = [0.5, 0.99, 0.999];

export const metrics = {
  oneCore: { title: 'one core' },
  twoCores: { title: 'two cores' },
  asleep: { title: 'waiter asleep' },
  oneCoreSingle: { panel: 'one by one, on one core', title: '', quantiles },
  twoCoresSingle: { panel: 'one by one, on two cores', title: '', quantiles },
};

/** On one core and on two. */
export const onBoth = (pairs) =>
  ['oneCore', 'twoCores'].flatMap((metric) => pairs.map((pair) => ({ metric, ...pair })));

const syncRow = 'sync hand-over between two processes';
const asyncRow = 'async hand-over between two event loops';

// `floor` is the C program that does the least that such a wait must do: it wakes up in slices
// where the wait blocks, and uses epoll_wait and read where it does not. If even its ratio is above
// a ceiling, the machine is the reason.
const pairs = [
  { ours: 'lock-sync', against: 'c-lock', ceiling: 1.3, floor: 'c-lock-sliced', row: syncRow },
  { ours: 'rlock-sync', against: 'c-mutex', ceiling: 1.3, floor: 'c-mutex-sliced', row: syncRow },
  {
    ours: 'semaphore-sync',
    against: 'c-semaphore',
    ceiling: 1.3,
    floor: 'c-semaphore-sliced',
    row: syncRow,
  },
  { ours: 'lock-async', against: 'helper-lock', ceiling: 0.5, floor: 'c-bell', row: asyncRow },
  { ours: 'rlock-async', against: 'helper-lock', ceiling: 0.5, floor: 'c-bell', row: asyncRow },
  {
    ours: 'semaphore-async',
    against: 'helper-semaphore',
    ceiling: 0.5,
    floor: 'c-bell',
    row: asyncRow,
  },
  { ours: 'lock-async', against: 'fs-async', ceiling: 0.2, floor: 'c-bell', row: asyncRow },
  { ours: 'rlock-async', against: 'fs-async', ceiling: 0.2, floor: 'c-bell', row: asyncRow },
  { ours: 'lock-async', against: 'c-bell' },
  { ours: 'lock-mixed', against: 'c-mixed' },
  { ours: 'semaphore-mixed', against: 'c-mixed' },
  { ours: 'lock-sync', against: 'mp-lock' },
  { ours: 'rlock-sync', against: 'mp-rlock' },
  { ours: 'semaphore-sync', against: 'mp-semaphore' },
  { ours: 'lock-sync', against: 'fs-sync' },
  { ours: 'lock-async', against: 'proper-lockfile' },
  { ours: 'lock-async', against: 'redis' },
];

export const handover = {
  name: 'handover',
  seconds: 60,
  title: 'handover: a lock or a turn from one process to another',
  placements,
  metrics,

  contestants: {
    'lock-sync': holdfast('Lock, acquireSync', ours, 'lock-sync'),
    'rlock-sync': holdfast('RLock, acquireSync', ours, 'rlock-sync'),
    'semaphore-sync': holdfast('Semaphore, acquireSync', ours, 'semaphore-sync'),
    'c-lock': c('sem_wait/sem_post as a lock', posix, 'lock'),
    'c-mutex': c('robust mutex', posix, 'mutex'),
    'c-semaphore': c('sem_wait/sem_post', posix, 'semaphore'),
    'c-lock-sliced': c('sem_clockwait/sem_post as a lock', posix, 'lock-sliced'),
    'c-mutex-sliced': c('robust mutex, clocklock', posix, 'mutex-sliced'),
    'c-semaphore-sliced': c('sem_clockwait/sem_post', posix, 'semaphore-sliced'),
    'c-bell': c('epoll_wait/read and write of a pipe', posix, 'bell'),
    'mp-lock': python('mp.Lock', mp, 'lock'),
    'mp-rlock': python('mp.RLock', mp, 'rlock'),
    'mp-semaphore': python('mp.Semaphore', mp, 'semaphore'),
    'fs-sync': { ...rival('fs-native-extensions waitForLockSync', files, 'sync'), turns: slow },

    'lock-async': holdfast('Lock, await acquire', ours, 'lock-async'),
    'rlock-async': holdfast('RLock, await acquire', ours, 'rlock-async'),
    'semaphore-async': holdfast('Semaphore, await acquire', ours, 'semaphore-async'),
    'helper-lock': helperThread('helper thread, semaphore as a lock', helper, 'lock'),
    'helper-semaphore': helperThread('helper thread, semaphore', helper, 'semaphore'),
    'fs-async': { ...rival('fs-native-extensions await waitForLock', files, 'async'), turns: slow },
    'lock-mixed': holdfast('Lock, one acquireSync, one await', ours, 'lock-mixed'),
    'rlock-mixed': holdfast('RLock, one acquireSync, one await', ours, 'rlock-mixed'),
    'semaphore-mixed': holdfast('Semaphore, one acquireSync, one await', ours, 'semaphore-mixed'),
    'c-mixed': c('one sem_clockwait, one epoll_wait/read', posix, 'mixed'),

    'proper-lockfile': {
      ...rival('proper-lockfile, polling every 1 ms', 'handover/proper-lockfile.mjs', 'async'),
      turns: polling,
    },
    redis: {
      ...redis('SET NX PX, polling every 1 ms', 'handover/redis.mjs', 'async'),
      turns: polling,
    },
  },

  comparisons: onBoth(pairs),
};
