// How a suite describes a contestant: a label, a command line, and what it needs (a key of what
// prepare.mjs finds).

const pythonCommand = 'python3';

/** A Node program on the built package. */
export const holdfast = (label, ...args) => program('holdfast', `holdfast ${label}`, ...args);

/** A Node program on a package of bench/package.json. */
export const rival = (label, ...args) => program('rivals', label, ...args);

/** A Node program on bench/helper-thread. */
export const helperThread = (label, ...args) => program('helperThread', label, ...args);

/** A Node program on ioredis, with a redis-server of its own: redis.mjs. */
export const redis = (label, ...args) =>
  program(['redis', 'rivals'], `Redis, ioredis ${label}`, ...args);

/** A program on `navigator.locks`, which Node has since 24.5. */
export const nodeLocks = (label, ...args) => program('nodeLocks', label, ...args);

/** A program of Node alone. */
export const node = (label, ...args) => program('node', label, ...args);

export const python = (label, ...args) => ({
  label: `CPython ${label}`,
  needs: 'python',
  command: [pythonCommand, ...args],
});

/** A program that prepare.mjs compiles. */
export const c = (label, ...args) => ({ label: `C ${label}`, needs: 'c', command: args });

/** A C++ program on POSIX message queues, where the system has them. */
export const mqueue = (label, ...args) => ({
  label: `POSIX ${label}`,
  needs: 'mqueue',
  command: args,
});

/** A C++ program on Boost.Interprocess, where that is installed. */
export const boost = (label, ...args) => ({
  label: `Boost ${label}`,
  needs: 'boost',
  command: args,
});

function program(needs, label, ...args) {
  return { label, needs, command: [process.execPath, ...args] };
}
