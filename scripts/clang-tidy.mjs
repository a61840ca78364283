// Looks for mistakes in the C++ files of native/, as .clang-tidy says.
//
//   node scripts/clang-tidy.mjs                 exit code 1 if there is a finding
//   node scripts/clang-tidy.mjs lock.cc queue   only files whose path contains one of these
//
// A file without findings is not read again until it, a header or a setting changes.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, hashOf, isDone, isMain, knowOnly } from './common.mjs';
import { markDone, onEachProcessor, root } from './common.mjs';
import { addonSources, hostPlatform, includeDirs, platforms } from './sources.mjs';

const config = ['', 'native/test/', 'native/test/darwin/'].map((at) => `${at}.clang-tidy`);
const commonFlags = [
  '-std=c++17',
  '-pthread',
  '-DHOLDFAST_INVARIANTS',
  '-DHOLDFAST_KILL_POINTS',
  // GCC's warnings are not clang's, and the builds report those of the compiler that they use.
  '-Wno-everything',
];

/** Node's headers and our definitions, from the makefile that node-gyp wrote for the addon. */
function addonFlags() {
  const makefile = readFileSync(path.join(root, 'build/holdfast.target.mk'), 'utf8');
  const words = (variable) =>
    new RegExp(`^${variable}_Release :=((?:.*\\\\\n)*.*)`, 'm')
      .exec(makefile)[1]
      .split(/[\s\\]+/) // each line but the last one ends with a backslash
      .filter(Boolean)
      .map((word) => word.replace(/^'(.*)'$/, '$1').replace('$(srcdir)', '.'));
  return [
    ...words('DEFS'),
    // Other people's headers: no finding in them is ours.
    ...words('INCS')
      .filter((word) => !word.startsWith('-I./native'))
      .map((word) => word.replace('-I', '-isystem')),
  ];
}

/** Each file once: for this machine's platform, or for the first of the others that has it. */
function filesAndFlags() {
  const addon = addonFlags();
  const tests = filesUnder('native/test', ['native/test/darwin', 'native/test/addon']);
  const byFile = new Map();
  for (const platform of [hostPlatform, ...platforms]) {
    const flags = [...commonFlags, ...includeDirs(platform).map((directory) => `-I${directory}`)];
    for (const file of [
      ...addonSources(platform),
      ...tests.filter((name) => name.endsWith('.cc')),
    ]) {
      if (byFile.has(file)) continue;
      byFile.set(file, { file, flags: file.includes('/addon/') ? [...flags, ...addon] : flags });
    }
  }
  return [...byFile.values()];
}

/** What clang-tidy says of one file; '' if it finds nothing. */
function findingsIn(file, flags) {
  return new Promise((resolve, reject) => {
    const child = spawn('clang-tidy', ['--quiet', file, '--', ...flags], { cwd: root });
    let findings = '';
    let messages = ''; // how many warnings of other headers it has left out, and why it failed
    child.stdout.setEncoding('utf8').on('data', (text) => (findings += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (messages += text));
    child.on('error', (error) => {
      reject(new Error(`clang-tidy (Debian: apt-get install clang-tidy): ${error.message}`));
    });
    child.on('close', (code) => resolve(code === 0 ? '' : findings || `${file}: ${messages}`));
  });
}

/** What clang-tidy finds, one text for each file with findings. */
export async function clangTidy(filters = []) {
  const headers = filesUnder('native').filter((file) => file.endsWith('.h'));
  const waiting = filesAndFlags()
    .filter(({ file }) => filters.length === 0 || filters.some((part) => file.includes(part)))
    .map(({ file, flags }) => ({
      file,
      flags,
      stamp: `build/clang-tidy/${file.replaceAll('/', '_')}.stamp`,
      hash: hashOf([file, ...headers, ...config], flags),
    }))
    .filter(({ file, stamp, hash }) => !isDone(stamp, hash, file));
  const found = [];
  await onEachProcessor(waiting, async ({ file, flags, stamp, hash }) => {
    const findings = await findingsIn(file, flags);
    if (findings === '') markDone(stamp, hash);
    else found.push(findings.replaceAll(`${root}/`, '').trimEnd());
  });
  return found.toSorted();
}

if (isMain(import.meta)) {
  knowOnly();
  const found = await clangTidy(process.argv.slice(2));
  for (const text of found) console.error(text);
  process.exitCode = found.length > 0 ? 1 : 0;
}
