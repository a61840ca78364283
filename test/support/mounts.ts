import { execFileSync, spawnSync } from 'node:child_process';
import { temporaryDirectory } from './directory.js';
import { isRoot } from './platform.js';

/**
 * A wrapper for newProcess() that mounts something for that process alone. The mount ends with the
 * process. Undefined where a test may not mount.
 */
export function privateMounts(): ((mount: string) => string[]) | undefined {
  const permitted =
    isRoot &&
    process.platform === 'linux' &&
    spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0;
  if (!permitted) return undefined;
  return (mount) => ['unshare', '-m', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
}

const mounted: string[] = [];

/** A small file system for one test; undefined where a test may not mount. */
export function mountSmall(options: string): string | undefined {
  if (!isRoot || process.platform !== 'linux') return undefined;
  const directory = temporaryDirectory();
  const args = ['-t', 'tmpfs', '-o', options, 'tmpfs', directory];
  if (spawnSync('mount', args).status !== 0) return undefined;
  mounted.push(directory);
  return directory;
}

/** Call it when no process has a file open there any more. */
export function unmount(): void {
  for (const directory of mounted.splice(0)) execFileSync('umount', [directory]);
}
