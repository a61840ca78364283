import { c, holdfast, python } from './contestants.mjs';

const ours = 'lock/holdfast.mjs';
const mp = 'lock/mp.py';
const posix = 'build/lock-posix';
const core = (label, variant) => ({
  label: `holdfast's core ${label}`,
  needs: 'core',
  command: ['build/core', variant],
});

// In pairs. A program is fifty times slower under Valgrind, and a JavaScript loop must be so long
// that the work of its compilers does not matter.
const few = 20_000;
const many = 100_000;

function counted(n, { label, needs, command }) {
  const [program, ...args] = command;
  return {
    label,
    needs: [needs, 'valgrind'],
    command: [process.execPath, 'instructions/count.mjs', n, program, ...args].map(String),
  };
}

/**
 * Without the threads on which V8 compiles and collects, because their instructions would be
 * counted, too.
 */
function node(label, variant) {
  const { command, ...contestant } = holdfast(label, ours, variant);
  const [program, ...args] = command;
  return counted(many, { ...contestant, command: [program, '--single-threaded', ...args] });
}

export const instructions = {
  name: 'instructions',
  // Half a minute under Valgrind.
  onlyNamed: true,
  // A count is the same each time, except for what V8 does in between.
  rounds: 1,
  title: 'instructions: of one uncontended acquire/release pair, in user mode',
  placements: [{ args: () => [], metrics: { instructions: 'instructions' } }],
  metrics: { instructions: { title: 'instructions', unit: 'count' } },

  contestants: {
    acquireSync: node('lock.acquireSync/release', 'acquireSync'),
    'core-lock': counted(few, core('lock: try_acquire/release', 'lock')),
    'core-rlock': counted(few, core('rlock: try_acquire/release', 'rlock')),
    'core-rlock-nested': counted(few, core('rlock, nested', 'rlock-nested')),
    'c-sem': counted(few, c('sem_trywait/sem_post', posix, 'sem')),
    'c-mutex': counted(few, c('robust mutex lock/unlock', posix, 'mutex')),
    'c-mutex-nested': counted(few, c('robust mutex lock/unlock, nested', posix, 'mutex-nested')),
    'mp-lock': counted(few, python('mp.Lock acquire/release', mp, 'lock')),
    'mp-rlock-nested': counted(few, python('mp.RLock, nested', mp, 'rlock-nested')),
  },

  comparisons: [
    { ours: 'acquireSync', against: 'mp-lock' },
    { ours: 'acquireSync', against: 'core-lock' },
    { ours: 'core-lock', against: 'c-sem' },
    { ours: 'core-rlock', against: 'c-mutex' },
    { ours: 'core-lock', against: 'mp-lock' },
    { ours: 'core-rlock-nested', against: 'mp-rlock-nested' },
  ].map((comparison) => ({ metric: 'instructions', ...comparison })),
};
