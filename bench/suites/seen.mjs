import { holdfast } from './contestants.mjs';

const program = 'lock/seen.mjs';
const titles = {
  pair: 'lock.acquireSync/release',
  'pair-unasked': 'lock.acquireSync/release, and no channel is asked',
  'pair-after': 'lock.acquireSync/release, after a callback of a lock',
  acquire: 'await lock.acquire/guard.release',
  'acquire-unasked': 'await lock.acquire/guard.release, and no channel is asked',
  'acquire-after': 'await lock.acquire/guard.release, after a callback of a lock',
  run: 'await lock.runExclusive',
  'run-bare': 'await lock.runExclusive, without its context',
  'run-option': 'await lock.runExclusive, deadlock: false',
};

const pairs = [
  ['pair', 'pair-unasked'],
  ['pair-after', 'pair'],
  ['acquire', 'acquire-unasked'],
  ['acquire-after', 'acquire'],
  ['run', 'run-bare'],
  ['run-option', 'run'],
];

/** It runs only by name: its figures differ between versions of Node, and the report is of one. */
export const seen = {
  name: 'seen',
  onlyNamed: true,
  seconds: 40,
  title: 'seen: what it costs that channels may be listened to, and that deadlocks are found',
  placements: [{ args: () => [], metrics: { pair: 'pair' } }],
  metrics: { pair: { title: 'per pair' } },
  contestants: Object.fromEntries(
    Object.entries(titles).map(([name, title]) => [name, holdfast(title, program, name)]),
  ),
  comparisons: pairs.map(([ours, against]) => ({ metric: 'pair', ours, against })),
};
