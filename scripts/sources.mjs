// The only list of C++ files. binding.gyp, scripts/native-test.mjs and the packed tarball use it.
//
//   node scripts/sources.mjs addon <platform>     sources of the addon, one a line
//   node scripts/sources.mjs core <platform>      those without Node in them (platform + core)
//   node scripts/sources.mjs includes <platform>  include directories, in order
//   node scripts/sources.mjs link <platform>      what the linker needs to be told; may be nothing
//
// <platform> is one of these:
//
//   posix    what every POSIX system has
//   linux    the same with some files replaced: linux/x.cc takes the place of posix/x.cc
//   darwin   macOS, in the same way. Elsewhere it gets the stand-in of native/test/darwin, so that
//            it can be tested there
//   darwin-without-x, ...-without-y    darwin with posix/x.cc in place of darwin/x.cc: what macOS
//            does not bear. scripts/darwin-faults.mjs looks whether the tests find it
//
// It runs on a user's machine too (compiling from source at install), so: no dependencies.

import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

export const platforms = ['linux', 'posix', 'darwin'];
export const faults = ['darwin-without-news', 'darwin-without-wakes'];

/** The platform directory that this machine uses unless told otherwise. */
export const hostPlatform =
  process.platform === 'linux' || process.platform === 'darwin' ? process.platform : 'posix';

const standInDirectory = 'native/test/darwin';

/** The .cc files below a directory, sorted: an order that varies would recompile for nothing. */
function ccFiles(directory) {
  const absolute = path.join(root, directory);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true })
    .filter((name) => name.endsWith('.cc'))
    .toSorted()
    .map((name) => `${directory}/${name}`);
}

/** `darwin-without-x` is of the directory darwin, and lacks its file x. */
const directoryOf = (platform) => platform.split('-')[0];
const lacks = (platform, file) => platform.endsWith(`-without-${path.basename(file, '.cc')}`);

function platformFiles(platform) {
  const posix = ccFiles('native/platform/posix');
  const directory = directoryOf(platform);
  if (directory === 'posix') return posix;
  const own = ccFiles(`native/platform/${directory}`).filter((file) => !lacks(platform, file));
  const replaced = new Set(own.map((file) => path.basename(file)));
  return [...own, ...posix.filter((file) => !replaced.has(path.basename(file)))];
}

/** Does this machine need the stand-in, to run that platform? */
function needsStandIn(platform) {
  return directoryOf(platform) === 'darwin' && process.platform !== 'darwin';
}

/** Its part for the core, or that for the addon, which needs libuv. */
function standInFiles(platform, { addon }) {
  if (!needsStandIn(platform)) return [];
  return ccFiles(standInDirectory).filter((file) => file.includes('/addon/') === addon);
}

export function coreSources(platform, { standIn = true } = {}) {
  return [
    ...platformFiles(platform),
    ...ccFiles('native/core'),
    ...(standIn ? standInFiles(platform, { addon: false }) : []),
  ];
}

export function addonSources(platform, { standIn = true } = {}) {
  return [
    ...coreSources(platform, { standIn }),
    ...ccFiles('native/addon'),
    ...(standIn ? standInFiles(platform, { addon: true }) : []),
  ];
}

/** The headers of a platform come before the posix ones that they replace. */
export function includeDirs(platform, { standIn = true } = {}) {
  const own = `native/platform/${directoryOf(platform)}`;
  return [
    ...(standIn && needsStandIn(platform) ? [`${standInDirectory}/include`] : []),
    ...new Set(['native', own, 'native/platform/posix']),
  ];
}

/** The names that the stand-in wraps, for the linker. See native/test/darwin/stand_in.h. */
export function linkFlags(platform, { addon = false } = {}) {
  const files = [
    ...standInFiles(platform, { addon: false }),
    ...(addon ? standInFiles(platform, { addon: true }) : []),
  ];
  const names = files.flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    return [...text.matchAll(/__wrap_([a-z]\w*)|^ABSENT\((\w+)\)/gm)].map(
      (found) => found[1] ?? found[2],
    );
  });
  return [...new Set(names)].map((name) => `-Wl,--wrap=${name}`);
}

// With realpath, because the build variants reach this file through a symbolic link.
if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) {
  const [what, platform] = process.argv.slice(2);
  const lists = {
    addon: addonSources,
    core: coreSources,
    includes: includeDirs,
    link: (name) => linkFlags(name, { addon: true }),
  };
  const known = [...platforms, ...faults];
  if (!Object.hasOwn(lists, what ?? '') || !known.includes(platform)) {
    console.error(`usage: sources.mjs ${Object.keys(lists).join('|')} ${known.join('|')}`);
    process.exit(2);
  }
  const list = lists[what](platform);
  if (list.length === 0 && what !== 'link') {
    console.error(`sources.mjs: no C++ files for ${what} ${platform}`);
    process.exit(1);
  }
  console.log(list.join('\n'));
}
