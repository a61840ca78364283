import { c, holdfast, node, python, redis, rival } from './contestants.mjs';

const waiters = 'scale/waiters.mjs';
const idle = 'scale/idle-holdfast.mjs';
const mp = 'scale/mp.py';

const counts = [1, 10, 100, 1000];
const release = Object.fromEntries(counts.map((n) => [`waiters-${n}`, `waiters-${n}`]));
const played = (what) => (contestant) => contestant.measures === what;

// A cost that does not grow is the same with a thousand as with ten. The rest of the limit is the
// variation of medians of a microsecond.
const NOISE = 1.5;

export const scale = {
  name: 'scale',
  seconds: 30,
  title: 'scale: many waiters, and waiting long',
  placements: [
    { plays: played('release'), args: () => [], metrics: release },
    { plays: played('idle'), args: () => [], metrics: { cpu: 'cpu', switches: 'switches' } },
  ],
  metrics: {
    ...Object.fromEntries(
      counts.map((n) => [
        `waiters-${n}`,
        { panel: 'one release, with so many waiting', title: n.toLocaleString('en') },
      ]),
    ),
    cpu: { panel: 'a second of waiting costs', title: 'CPU time' },
    switches: { panel: 'a second of waiting costs', title: 'context switches', unit: 'count' },
  },

  contestants: Object.fromEntries(
    Object.entries({
      'lock-release': holdfast('lock.release', waiters, 'lock'),
      'c-release': c('sem_post', 'build/scale-posix'),
      'pipe-release': c('write to a pipe, its reader asleep', 'build/scale-posix', 'pipe'),
      'node-release': node('writeSync to a pipe, its event loop asleep', 'scale/pipe.mjs'),
      'mp-release': python('mp.Lock.release', mp, 'waiters'),
      'lock-async': holdfast('await lock.acquire', idle, 'lock-async', 1),
      'lock-async-100': holdfast('await lock.acquire, 100 at once', idle, 'lock-async', 100),
      'lock-sync': holdfast('lock.acquireSync', idle, 'lock-sync', 1),
      'rlock-sync': holdfast('rlock.acquireSync', idle, 'rlock-sync', 1),
      'queue-async': holdfast('await queue.get', idle, 'queue-async', 1),
      'socket-idle': node(
        "Node's own: a byte on a Unix socket",
        'scale/idle-socket.mjs',
        'byte',
        1,
      ),
      'mp-idle': python('mp.Lock.acquire', mp, 'idle'),
      'fs-idle': rival(
        'fs-native-extensions await waitForLock',
        'scale/idle-fs-native-extensions.mjs',
        'async',
        1,
      ),
      'proper-lockfile': rival(
        'proper-lockfile, polling every 1 ms',
        'scale/idle-proper-lockfile.mjs',
        'async',
        1,
      ),
      redis: redis('SET NX PX, polling every 1 ms', 'scale/idle-redis.mjs', 'async', 1),
    }).map(([id, contestant]) => [
      id,
      { ...contestant, measures: id.endsWith('release') ? 'release' : 'idle' },
    ]),
  ),

  limits: [
    { metric: 'cpu', most: 2e6, text: 'CPU time' },
    { metric: 'switches', most: 3, text: 'context switches' },
  ].map((limit) => ({
    id: 'lock-async',
    floor: 'socket-idle',
    row: 'a second of waiting',
    ...limit,
  })),

  comparisons: [
    {
      ours: 'lock-release',
      metric: 'waiters-1000',
      against: 'lock-release',
      againstMetric: 'waiters-10',
      ceiling: NOISE,
      floor: 'c-release',
      row: '1,000 waiters on one lock',
    },
    ...counts.map((n) => ({ ours: 'lock-release', metric: `waiters-${n}`, against: 'c-release' })),
    {
      ours: 'lock-release',
      metric: 'waiters-1',
      against: 'pipe-release',
      ceiling: 1.2,
      floor: 'node-release',
      row: 'one release, one asynchronous waiter',
    },
    { ours: 'lock-release', metric: 'waiters-1', against: 'node-release' },
    ...[1, 10, 100].map((n) => ({
      ours: 'lock-release',
      metric: `waiters-${n}`,
      against: 'mp-release',
    })),
    { ours: 'lock-async', metric: 'cpu', against: 'socket-idle' },
    { ours: 'lock-async', metric: 'cpu', against: 'fs-idle' },
    { ours: 'lock-async', metric: 'cpu', against: 'proper-lockfile' },
    { ours: 'lock-async', metric: 'cpu', against: 'redis' },
  ],
};
