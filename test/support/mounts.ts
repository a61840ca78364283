import { execFileSync, spawnSync } from 'node:child_process';
import { temporaryDirectory } from './directory.js';
import { isRoot } from './platform.js';

/**
 * A wrapper for newProcess() that mounts something for that process alone; it goes with the
 * process. Undefined where that is not permitted.
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

/** A little file system of the test's own; undefined where that is not permitted. */
export function mountSmall(options: string): string | undefined {
  if (!isRoot || process.platform !== 'linux') return undefined;
  const directory = temporaryDirectory();
  const args = ['-t', 'tmpfs', '-o', options, 'tmpfs', directory];
  if (spawnSync('mount', args).status !== 0) return undefined;
  mounted.push(directory);
  return directory;
}

/** To be called when nobody has anything open in there any more. */
export function unmount(): void {
  for (const directory of mounted.splice(0)) execFileSync('umount', [directory]);
}
