import { c, holdfast, python, rival } from './contestants.mjs';

const ours = 'contended/holdfast.mjs';
const mp = 'contended/mp.py';
const posix = 'build/contended-posix';
const files = 'contended/fs-native-extensions.mjs';

const GAME_MS = 100;
const counts = [2, 4, 8, 16];
const sections = { empty: 'an empty section', work: 'a section of 10 us' };

// Of each game, which section and how many processes: the time of a section, and how fairly it
// went.
const figures = [
  { suffix: '', panel: 'time per section', rate: true },
  { suffix: '-longest', panel: 'longest wait of any process' },
  { suffix: '-jain', panel: "Jain's index of the shares (1 is fair)", unit: 'x' },
];
const metrics = Object.fromEntries(
  figures.flatMap(({ suffix, panel, ...kind }) =>
    Object.entries(sections).flatMap(([section, words]) =>
      counts.map((n) => [
        `${section}-${n}${suffix}`,
        { panel: `${panel}, ${words}`, title: `${n} processes`, ...kind },
      ]),
    ),
  ),
);

const pairs = [
  { ours: 'lock-sync', against: 'c-sem' },
  { ours: 'lock-sync', against: 'mp-lock' },
  { ours: 'lock-sync', against: 'fs-sync' },
  { ours: 'rlock-sync', against: 'c-mutex' },
  { ours: 'rlock-sync', against: 'mp-rlock' },
  { ours: 'lock-async', against: 'fs-async' },
];

const contestants = {
  'lock-sync': holdfast('Lock, acquireSync', ours, 'lock-sync'),
  'lock-async': holdfast('Lock, await acquire', ours, 'lock-async'),
  'rlock-sync': holdfast('RLock, acquireSync', ours, 'rlock-sync'),
  'c-sem': c('sem_wait/sem_post', posix, 'sem'),
  'c-mutex': c('robust mutex', posix, 'mutex'),
  'mp-lock': python('mp.Lock', mp, 'lock'),
  'mp-rlock': python('mp.RLock', mp, 'rlock'),
  'fs-sync': rival('fs-native-extensions waitForLockSync', files, 'sync'),
  'fs-async': rival('fs-native-extensions await waitForLock', files, 'async'),
};

const suite = {
  placements: [
    {
      args: () => [GAME_MS],
      metrics: Object.fromEntries(Object.keys(metrics).map((id) => [id, id])),
    },
  ],
  metrics,
};
const compared = [
  ...Object.keys(sections).flatMap((section) => counts.map((n) => `${section}-${n}`)),
  'work-16-longest',
];
const comparisons = compared.flatMap((metric) => pairs.map((pair) => ({ metric, ...pair })));

export const contended = {
  ...suite,
  name: 'contended',
  seconds: 60,
  title: 'contended: many processes, one lock',
  contestants,
  comparisons,
};

const BUSY = 4;
const without = ['lock-async', 'c-mutex', 'fs-sync', 'fs-async'];
const plays = (id) => !without.includes(id);

const beside = ({ command, ...contestant }) => ({
  ...contestant,
  command: [process.execPath, 'contended/beside.mjs', BUSY, ...command].map(String),
});

/** The same on a machine that has other work. */
export const busy = {
  ...suite,
  name: 'busy',
  // The scheduler decides much of it, so it needs many rounds.
  onlyNamed: true,
  seconds: 120,
  title: `contended, beside ${BUSY} busy processes`,
  contestants: Object.fromEntries(
    Object.entries(contestants)
      .filter(([id]) => plays(id))
      .map(([id, contestant]) => [id, beside(contestant)]),
  ),
  comparisons: comparisons.filter(({ ours, against }) => plays(ours) && plays(against)),
};
