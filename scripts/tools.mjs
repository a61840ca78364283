// Programs from npm that nobody depends on: compilers and runtimes. Each lies in a directory of its
// own below build/tools, because npm removes what the last installation there did not ask for.

import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, say } from './common.mjs';

const installWatchdogMs = 20 * 60_000;

/** The directory of the package, which is installed if it is not there. */
export async function toolDirectory(name, version) {
  const prefix = path.join(root, 'build/tools', `${name.replaceAll('/', '+')}@${version}`);
  const directory = path.join(prefix, 'node_modules', name);
  if (existsSync(path.join(directory, 'package.json'))) return directory;
  say(`installing ${name}@${version} into build/tools`);
  mkdirSync(prefix, { recursive: true });
  // --force: it may be for another C library or another processor than this machine's.
  const flags = ['--prefix', prefix, '--no-save', '--ignore-scripts', '--force', '--no-audit'];
  await mustRun('npm', ['install', ...flags, `${name}@${version}`], {
    timeoutMs: installWatchdogMs,
  });
  return directory;
}
