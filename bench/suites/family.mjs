import { holdfast, python } from './contestants.mjs';
import { metrics, onBoth, placements } from './handover.mjs';

const ours = 'handover/holdfast.mjs';
const mp = 'handover/mp.py';

export const family = {
  name: 'family',
  // `handover` measures what a hand-over costs. Here the figures show that these kinds cost about
  // the same.
  onlyNamed: true,
  seconds: 60,
  title: 'family: a turn from one process to another, by the rest of the family',
  placements,
  metrics,

  contestants: {
    'named-async': holdfast('LockManager, await acquire', ours, 'named-async'),
    'lock-async': holdfast('Lock, await acquire', ours, 'lock-async'),
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
  },

  comparisons: onBoth([
    { ours: 'named-async', against: 'lock-async' },
    { ours: 'bounded-sync', against: 'mp-bounded' },
    { ours: 'event-sync', against: 'mp-event' },
    { ours: 'event-async', against: 'mp-event' },
    { ours: 'condition-sync', against: 'mp-condition' },
    { ours: 'condition-async', against: 'mp-condition' },
    { ours: 'barrier-sync', against: 'mp-barrier' },
    { ours: 'barrier-async', against: 'mp-barrier' },
  ]),
};
