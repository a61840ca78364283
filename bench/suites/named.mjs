import { holdfast, nodeLocks, rival } from './contestants.mjs';

const program = 'lock/named.mjs';

const loops = {
  one: 'one name',
  many: '10,000 names by turns',
  live: 'one name, 100,000 others held',
};

const contestants = {
  lock: holdfast('await lock.acquire/release', 'lock/holdfast.mjs', 'acquire-guard'),
};
for (const [loop, title] of Object.entries(loops)) {
  contestants[`holdfast-${loop}`] = holdfast(
    `locks.request, ${title}`,
    program,
    `holdfast-${loop}`,
  );
  contestants[`mutexes-${loop}`] = rival(`async-mutex, ${title}`, program, `mutexes-${loop}`);
  contestants[`asyncLock-${loop}`] = rival(`async-lock, ${title}`, program, `asyncLock-${loop}`);
  contestants[`navigator-${loop}`] = nodeLocks(
    `Node navigator.locks.request, ${title}`,
    program,
    `navigator-${loop}`,
  );
}

/** It runs only by name, because it is not in the report. */
export const named = {
  name: 'named',
  onlyNamed: true,
  seconds: 30,
  title: 'named: request and release of a named lock, one process',
  placements: [{ args: () => [], metrics: { pair: 'pair' } }],
  metrics: { pair: { title: 'per pair' } },
  contestants,
  comparisons: [
    { ours: 'holdfast-one', against: 'lock' },
    ...Object.keys(loops).flatMap((loop) =>
      ['mutexes', 'asyncLock', 'navigator'].map((who) => ({
        ours: `holdfast-${loop}`,
        against: `${who}-${loop}`,
      })),
    ),
    { ours: 'holdfast-many', against: 'holdfast-one' },
    { ours: 'holdfast-live', against: 'holdfast-one' },
  ].map((comparison) => ({ metric: 'pair', ...comparison })),
};
