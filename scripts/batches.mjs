// C++ files of one folder, for the compiler as one file. To read the headers takes it longer than
// the rest, and it reads them once for each batch. A user's machine compiles file by file
// (binding.gyp); what the scripts compile for many targets comes in batches.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './common.mjs';

/**
 * A batch has one namespace without a name. These folders are left out, because each of their files
 * has the same names in it, for another kind of object.
 */
const isBatch = /^native\/(platform\/\w+|core\/(?!primitives)\w+)$/;

/**
 * What to compile for these sources: `{ name, source, files }` each. `source` is one of them, or a
 * file in `directory` that includes all `files` of a folder.
 */
export function inBatches(sources, directory) {
  const folders = new Map();
  for (const file of sources) {
    const folder = path.dirname(file);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders].flatMap(([folder, files]) =>
    isBatch.test(folder)
      ? [{ name: folder.replaceAll('/', '_'), source: batch(folder, files, directory), files }]
      : files.map((file) => ({ name: file.replaceAll('/', '_'), source: file, files: [file] })),
  );
}

function batch(folder, files, directory) {
  const source = path.join(directory, `${folder.replaceAll('/', '_')}.cc`);
  const absolute = path.resolve(root, source);
  mkdirSync(path.dirname(absolute), { recursive: true });
  const temporary = `${absolute}.${process.pid}.tmp`; // two commands may write the same
  const lines = files.map((file) => `#include ${JSON.stringify(path.join(root, file))}\n`);
  writeFileSync(temporary, lines.join(''));
  renameSync(temporary, absolute);
  return source;
}
