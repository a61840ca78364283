// Lays the C++ files out as .clang-format says, or lists those that differ.
//
//   node scripts/clang-format.mjs            which files differ; exit code 1 if any
//   node scripts/clang-format.mjs --write    writes them

import { spawnSync } from 'node:child_process';
import { filesUnder, isMain, knowOnly, option, root } from './common.mjs';

const directories = ['native', 'bench'];
const generated = ['**/node_modules', '**/build'];

/** The names of the files that differ. `write` lays them out instead. */
export function clangFormat({ write = false } = {}) {
  const files = directories
    .flatMap((directory) => filesUnder(directory, generated))
    .filter((file) => /\.(cc|c|h)$/.test(file));
  const { error, status, stderr } = spawnSync(
    'clang-format',
    [...(write ? ['-i'] : ['--dry-run', '--Werror']), ...files],
    { cwd: root, encoding: 'utf8', maxBuffer: Infinity },
  );
  if (error) {
    throw new Error(`clang-format (Debian: apt-get install clang-format): ${error.message}`);
  }
  // A finding begins with its place: `file:line:column: error: ...`.
  const differ = files.filter((file) => `\n${stderr}`.includes(`\n${file}:`));
  if (status !== 0 && differ.length === 0) throw new Error(stderr);
  return differ;
}

if (isMain(import.meta)) {
  knowOnly('write');
  const differ = clangFormat({ write: option('write') !== undefined });
  for (const file of differ) console.error(`${file}: not laid out as .clang-format says`);
  process.exitCode = differ.length > 0 ? 1 : 0;
}
