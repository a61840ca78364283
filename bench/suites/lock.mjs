import { c, holdfast, python, redis, rival } from './contestants.mjs';

const ours = 'lock/holdfast.mjs';
const codecs = 'lock/codecs.mjs';
const mp = 'lock/mp.py';
const posix = 'build/lock-posix';

const pairRow = 'acquireSync + release uncontended';

export const lock = {
  name: 'lock',
  seconds: 40,
  title: 'lock: one uncontended acquire/release pair, or put and get, one process',
  placements: [{ args: () => [], metrics: { pair: 'pair' } }],
  metrics: { pair: { title: 'per pair' } },

  contestants: {
    acquireSync: holdfast('lock.acquireSync/release', ours, 'acquireSync'),
    'acquireSync-16': holdfast(
      'lock.acquireSync/release, 16 locks by turns',
      ours,
      'acquireSync-16',
    ),
    'acquireSync-guard': holdfast('lock.acquireSync/guard.release', ours, 'acquireSync-guard'),
    using: holdfast('using guard = lock.acquireSync() (as lowered)', ours, 'using'),
    tryAcquire: holdfast('lock.tryAcquire/guard.release', ours, 'tryAcquire-guard'),
    acquire: holdfast('await lock.acquire/guard.release', ours, 'acquire-guard'),
    rlock: holdfast('rlock.acquireSync/release', ours, 'rlock'),
    'rlock-nested': holdfast('rlock.acquireSync/release, nested', ours, 'rlock-nested'),
    semaphore: holdfast('semaphore.acquireSync/release', ours, 'semaphore'),
    isSet: holdfast('event.isSet', ours, 'isSet'),
    'queue-string': holdfast('queue.putSync/getSync of a 16 B string', ours, 'queue-string'),
    'queue-object': holdfast('queue.putSync/getSync of an object', ours, 'queue-object'),
    'queue-true': holdfast('queue.putSync/getSync of true', ours, 'queue-true'),
    'codec-object': holdfast(
      'encodes and decodes an object, without a queue',
      ours,
      'codec-object',
    ),

    'queue-kib': holdfast('queue.putSync/getSync of a 1 KiB Buffer', ours, 'queue-kib'),
    msgpackr: rival('msgpackr packs and unpacks the object', codecs, 'msgpackr'),
    'msgpackr-pack': rival('msgpackr packs the object', codecs, 'msgpackr-pack'),
    json: rival('JSON.stringify and JSON.parse of the object', codecs, 'json'),
    buffer: rival('Buffer.allocUnsafe(1024) and a copy', codecs, 'buffer'),
    awaits: rival('await of a function that does nothing, for await likewise', codecs, 'awaits'),

    'mp-lock': python('mp.Lock acquire/release', mp, 'lock'),
    'mp-lock-16': python('mp.Lock acquire/release, 16 locks by turns', mp, 'lock-16'),
    'mp-with': python('with mp.Lock', mp, 'with'),
    'mp-rlock': python('mp.RLock acquire/release', mp, 'rlock'),
    'mp-rlock-nested': python('mp.RLock acquire/release, nested', mp, 'rlock-nested'),
    'mp-semaphore': python('mp.Semaphore acquire/release', mp, 'semaphore'),
    'mp-isSet': python('mp.Event.is_set', mp, 'isSet'),
    'mp-queue-string': python('mp.SimpleQueue put/get of a 16 B string', mp, 'queue-string'),
    'mp-queue-object': python('mp.SimpleQueue put/get of an object', mp, 'queue-object'),

    'async-mutex': rival('async-mutex await acquire/release', 'lock/async-mutex.mjs'),
    'fs-tryLock': rival(
      'fs-native-extensions tryLock/unlock',
      'lock/fs-native-extensions.mjs',
      'tryLock',
    ),
    'fs-waitForLock': rival(
      'fs-native-extensions await waitForLock/unlock',
      'lock/fs-native-extensions.mjs',
      'waitForLock',
    ),
    'proper-lockfile': rival('proper-lockfile await lock/release', 'lock/proper-lockfile.mjs'),
    redis: redis('await SET NX PX/compare and DEL', 'lock/redis.mjs', 'lock'),

    'c-sem': c('sem_trywait/sem_post', posix, 'sem'),
    'c-mutex': c('robust mutex lock/unlock', posix, 'mutex'),
    'c-mutex-nested': c('robust mutex lock/unlock, nested', posix, 'mutex-nested'),
  },

  comparisons: [
    { ours: 'acquireSync', against: 'mp-lock', ceiling: 1.2, floor: 'c-sem', row: pairRow },
    { ours: 'acquireSync', against: 'mp-with', ceiling: 0.25, floor: 'c-sem', row: pairRow },
    {
      ours: 'rlock-nested',
      against: 'mp-rlock-nested',
      ceiling: 0.5,
      floor: 'c-mutex-nested',
      row: 'nested rlock pair',
    },
    {
      ours: 'acquire',
      against: 'async-mutex',
      ceiling: 0.5,
      floor: 'c-sem',
      row: 'await acquire + release, uncontended',
    },
    { ours: 'acquireSync-16', against: 'mp-lock-16' },
    { ours: 'acquireSync-guard', against: 'mp-with' },
    { ours: 'using', against: 'mp-with' },
    { ours: 'isSet', against: 'mp-isSet' },
    { ours: 'queue-string', against: 'mp-queue-string' },
    { ours: 'queue-object', against: 'mp-queue-object' },
    { ours: 'queue-object', against: 'queue-true' },
    { ours: 'codec-object', against: 'msgpackr' },
    { ours: 'codec-object', against: 'json' },
    { ours: 'queue-kib', against: 'buffer' },
    { ours: 'rlock', against: 'mp-rlock' },
    { ours: 'semaphore', against: 'mp-semaphore' },
    { ours: 'tryAcquire', against: 'fs-tryLock' },
    { ours: 'acquire', against: 'fs-waitForLock' },
    { ours: 'acquire', against: 'proper-lockfile' },
    { ours: 'acquire', against: 'redis' },
    { ours: 'acquireSync', against: 'c-sem' },
    { ours: 'acquire', against: 'c-sem' },
    { ours: 'rlock', against: 'c-mutex' },
    { ours: 'rlock-nested', against: 'c-mutex-nested' },
    { ours: 'semaphore', against: 'c-sem' },
  ].map((comparison) => ({ metric: 'pair', ...comparison })),
};
