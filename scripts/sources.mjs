// The only list of C++ files. binding.gyp, scripts/native-test.mjs and the packed tarball use it.
//
//   node scripts/sources.mjs addon <platform>     sources of the addon, one a line
//   node scripts/sources.mjs core <platform>      those without Node in them (platform + core)
//   node scripts/sources.mjs includes <platform>  include directories, in order
//
// <platform> is `linux` or `posix`. `posix` uses only what macOS has too. `linux` is `posix` with
// some files replaced: linux/x.cc takes the place of posix/x.cc.
//
// It runs on a user's machine too (compiling from source at install), so: no dependencies.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

export const platforms = ['linux', 'posix'];

/** The platform directory that this machine uses unless told otherwise. */
export const hostPlatform = process.platform === 'linux' ? 'linux' : 'posix';

/** The .cc files below a directory, sorted: an order that varies would recompile for nothing. */
function ccFiles(directory) {
  const absolute = path.join(root, directory);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true })
    .filter((name) => name.endsWith('.cc'))
    .toSorted()
    .map((name) => `${directory}/${name}`);
}

function platformFiles(platform) {
  const posix = ccFiles('native/platform/posix');
  if (platform === 'posix') return posix;
  const own = ccFiles(`native/platform/${platform}`);
  const replaced = new Set(own.map((file) => path.basename(file)));
  return [...own, ...posix.filter((file) => !replaced.has(path.basename(file)))];
}

export function coreSources(platform) {
  return [...platformFiles(platform), ...ccFiles('native/core')];
}

export function addonSources(platform) {
  return [...coreSources(platform), ...ccFiles('native/addon')];
}

/** The headers of a platform come before the posix ones that they replace. */
export function includeDirs(platform) {
  return [...new Set(['native', `native/platform/${platform}`, 'native/platform/posix'])];
}

// With realpath, because the build variants reach this file through a symbolic link.
if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) {
  const [what, platform] = process.argv.slice(2);
  const lists = { addon: addonSources, core: coreSources, includes: includeDirs };
  if (!Object.hasOwn(lists, what ?? '') || !platforms.includes(platform)) {
    console.error(`usage: sources.mjs ${Object.keys(lists).join('|')} ${platforms.join('|')}`);
    process.exit(2);
  }
  const list = lists[what](platform);
  if (list.length === 0) {
    console.error(`sources.mjs: no C++ files for ${what} ${platform}`);
    process.exit(1);
  }
  console.log(list.join('\n'));
}
