/** The platform layer of this run: linux or posix. scripts/test.mjs runs the suites over both. */
export const platform: 'linux' | 'posix' =
  process.platform !== 'linux' || /\bposix\b/.test(process.env['HOLDFAST_NATIVE'] ?? '')
    ? 'posix'
    : 'linux';

export const isRoot = process.geteuid?.() === 0;
