type Platform = 'linux' | 'posix' | 'darwin';

export const host =
  process.platform === 'linux' || process.platform === 'darwin' ? process.platform : 'posix';
const variant = /\/build\/(posix|darwin)\b/.exec(process.env['HOLDFAST_NATIVE'] ?? '')?.[1];

/** The platform layer of this run. scripts/test.mjs runs the suites over each of them. */
export const platform = (variant ?? host) as Platform;

/** The system call that gives a file its storage. */
export const reserveCall = platform === 'darwin' ? 'pwrite' : 'posix_fallocate';

export const isRoot = process.geteuid?.() === 0;
