import { c, helperThread, holdfast, python, rival } from './contestants.mjs';

const ours = 'handover/holdfast.mjs';
const mp = 'handover/mp.py';
const posix = 'build/handover-posix';
const helper = 'handover/helper-thread.mjs';
const files = 'handover/fs-native-extensions.mjs';

// In exchanges: the warm-up (until the compilers are done), and a batch of tens of milliseconds.
const quick = { warmUp: 3000, oneCore: 2000, twoCores: 400, asleep: 100 };
const slow = { warmUp: 1500, oneCore: 400, twoCores: 200, asleep: 100 };
const polling = { warmUp: 15, oneCore: 15, twoCores: 15, asleep: 15 };

// On one core nobody reads how long a sleeper took, but match.mjs checks the turns by it.
const SANITY = 10;

// Where the two processes run decides the figure more than anything they do, so it is not left to
// the scheduler of the moment.
const placements = [
  {
    cpus: ['last', 'last'],
    args: ({ turns = quick }) => [turns.warmUp, turns.oneCore, SANITY],
    metrics: { pingPong: 'oneCore' },
  },
  {
    cpus: ['last', 'last but one'],
    args: ({ turns = quick }) => [turns.warmUp, turns.twoCores, turns.asleep],
    metrics: { pingPong: 'twoCores', asleep: 'asleep' },
  },
];

// `floor` is the C program that does the least such a wait must: wake up in slices where it blocks,
// epoll_wait and read where it does not. Where even its ratio is above a ceiling, the machine is what
// holds the ceiling up.
const pairs = [
  { ours: 'lock-sync', against: 'c-lock', ceiling: 1.3, floor: 'c-lock-sliced' },
  { ours: 'rlock-sync', against: 'c-mutex', ceiling: 1.3, floor: 'c-mutex-sliced' },
  {
    ours: 'semaphore-sync',
    against: 'c-semaphore',
    ceiling: 1.3,
    floor: 'c-semaphore-sliced',
  },
  { ours: 'lock-async', against: 'helper-lock', ceiling: 0.5, floor: 'c-bell' },
  { ours: 'rlock-async', against: 'helper-lock', ceiling: 0.5, floor: 'c-bell' },
  { ours: 'semaphore-async', against: 'helper-semaphore', ceiling: 0.5, floor: 'c-bell' },
  { ours: 'lock-async', against: 'fs-async', ceiling: 0.2, floor: 'c-bell' },
  { ours: 'rlock-async', against: 'fs-async', ceiling: 0.2, floor: 'c-bell' },
  { ours: 'lock-sync', against: 'mp-lock' },
  { ours: 'rlock-sync', against: 'mp-rlock' },
  { ours: 'semaphore-sync', against: 'mp-semaphore' },
  { ours: 'bounded-sync', against: 'mp-bounded' },
  { ours: 'event-sync', against: 'mp-event' },
  { ours: 'event-async', against: 'mp-event' },
  { ours: 'condition-sync', against: 'mp-condition' },
  { ours: 'condition-async', against: 'mp-condition' },
  { ours: 'barrier-sync', against: 'mp-barrier' },
  { ours: 'barrier-async', against: 'mp-barrier' },
  { ours: 'lock-sync', against: 'fs-sync' },
  { ours: 'lock-async', against: 'proper-lockfile' },
];

export const handover = {
  name: 'handover',
  title: 'handover: a lock or a turn from one process to another',
  placements,
  metrics: {
    oneCore: { title: 'one core' },
    twoCores: { title: 'two cores' },
    asleep: { title: 'waiter asleep' },
  },

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

    'bounded-sync': holdfast('BoundedSemaphore, acquireSync', ours, 'bounded-sync'),
    'bounded-async': holdfast('BoundedSemaphore, await acquire', ours, 'bounded-async'),
    'exclusive-sync': holdfast('ReadWriteLock, acquireExclusiveSync', ours, 'exclusive-sync'),
    'exclusive-async': holdfast('ReadWriteLock, await acquireExclusive', ours, 'exclusive-async'),
    'event-sync': holdfast('Event, set/waitSync/clear', ours, 'event-sync'),
    'event-async': holdfast('Event, set/await wait/clear', ours, 'event-async'),
    'condition-sync': holdfast('Condition, notify/waitSync', ours, 'condition-sync'),
    'condition-async': holdfast('Condition, notify/await wait', ours, 'condition-async'),
    'barrier-sync': holdfast('Barrier of two, waitSync', ours, 'barrier-sync'),
    'barrier-async': holdfast('Barrier of two, await wait', ours, 'barrier-async'),
    'mp-bounded': python('mp.BoundedSemaphore', mp, 'bounded'),
    'mp-event': python('mp.Event, set/wait/clear', mp, 'event'),
    'mp-condition': python('mp.Condition, notify/wait', mp, 'condition'),
    'mp-barrier': python('mp.Barrier of two', mp, 'barrier'),

    'lock-async': holdfast('Lock, await acquire', ours, 'lock-async'),
    'rlock-async': holdfast('RLock, await acquire', ours, 'rlock-async'),
    'semaphore-async': holdfast('Semaphore, await acquire', ours, 'semaphore-async'),
    'helper-lock': helperThread('helper thread, semaphore as a lock', helper, 'lock'),
    'helper-semaphore': helperThread('helper thread, semaphore', helper, 'semaphore'),
    'fs-async': { ...rival('fs-native-extensions await waitForLock', files, 'async'), turns: slow },
    'proper-lockfile': {
      ...rival('proper-lockfile, polling every 1 ms', 'handover/proper-lockfile.mjs', 'async'),
      turns: polling,
    },
  },

  comparisons: ['oneCore', 'twoCores'].flatMap((metric) =>
    pairs.map((pair) => ({ metric, ...pair })),
  ),
};
