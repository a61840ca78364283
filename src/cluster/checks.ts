// What more than one engine checks when it opens a session.
import { UnsupportedEngineError } from './errors.js';

/**
 * `least` is the oldest version that can be used: its first two numbers.
 *
 * @throws UnsupportedEngineError
 */
export function checkVersion(
  engine: string,
  version: string,
  least: readonly [number, number],
): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > least[0] || (major === least[0] && minor >= least[1])) return;
  throw new UnsupportedEngineError(
    `${engine} ${version} is too old: it must be ${least.join('.')} or later`,
  );
}

/**
 * Compares the format of the keys of a namespace with the one that this package knows.
 *
 * @throws UnsupportedEngineError
 */
export function checkFormat(found: unknown, known: string): void {
  if (found === known) return;
  throw new UnsupportedEngineError(
    `the namespace has format ${String(found)}, and this version of the package ${known}`,
  );
}
