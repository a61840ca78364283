// Lays the C++ files out as .clang-format says, or tells which are not.
//
//   node scripts/clang-format.mjs            which files differ; exit code 1 if any
//   node scripts/clang-format.mjs --write    writes them

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { filesUnder, isMain, knowOnly, option, root } from './common.mjs';

const directories = ['native', 'bench'];
const generated = ['**/node_modules', '**/build'];

/** The names of the files that are laid out in another way. */
export function clangFormat({ write = false } = {}) {
  const files = directories
    .flatMap((directory) => filesUnder(directory, generated))
    .filter((file) => /\.(cc|c|h)$/.test(file));
  const run = (...args) => {
    const { error, status, stderr } = spawnSync('clang-format', args, {
      cwd: root,
      encoding: 'utf8',
    });
    if (error)
      throw new Error(`clang-format (Debian: apt-get install clang-format): ${error.message}`);
    return { status, stderr };
  };
  if (write) {
    const { status, stderr } = run('-i', ...files);
    if (status !== 0) throw new Error(stderr);
    return [];
  }
  return files.filter((file) => run('--dry-run', '--Werror', file).status !== 0);
}

if (isMain(import.meta)) {
  knowOnly('write');
  const differ = clangFormat({ write: option('write') !== undefined });
  for (const file of differ)
    console.error(`${path.normalize(file)}: not laid out as .clang-format says`);
  process.exitCode = differ.length > 0 ? 1 : 0;
}
