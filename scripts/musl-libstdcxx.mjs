// GNU's C++ library for programs that are linked to musl, as Bun's build for Alpine is. Debian has
// musl's loader, and this library for glibc only. So the parts of its archive (libstdc++.a) that a
// program needs are linked once more, to musl, with the three names that only glibc has.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root } from './common.mjs';
import { zigDirectory } from './cross-compiler.mjs';

const directory = path.join(root, 'build/tools/musl');

const onlyInGlibc = `
#include <unistd.h>
char __libc_single_threaded = 0;
int _dl_find_object(void *address, void *result) { (void)address; (void)result; return -1; }
unsigned arc4random(void) {
  unsigned value = 0;
  return getentropy(&value, sizeof value) == 0 ? value : 0;
}
`;

const output = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' });
const archive = (name) => output('c++', `-print-file-name=${name}`).trim();

/** The names of C++'s runtime that the program does not have itself, or has as a copy. */
function neededBy(program) {
  const undefinedNames = output('nm', '-D', '--undefined-only', program);
  const copies = output('readelf', '--wide', '--relocs', program).match(/COPY.*/g) ?? [];
  const words = [undefinedNames, ...copies].join('\n').split(/\s+/);
  const isCpp = /^(_Z|__cxa_|__dynamic_cast|__once_proxy)/;
  const isOfMusl = /^__cxa_(atexit|finalize|thread_atexit)/;
  const names = words.map((word) => word.split('@')[0]);
  return [...new Set(names)].filter((name) => isCpp.test(name) && !isOfMusl.test(name));
}

/** The directory of libstdc++.so.6 for a program: for LD_LIBRARY_PATH. */
export async function muslLibraries(program) {
  const library = path.join(directory, 'libstdc++.so.6');
  if (existsSync(library)) return directory;
  mkdirSync(directory, { recursive: true });
  const source = path.join(directory, 'only-in-glibc.c');
  writeFileSync(source, onlyInGlibc);
  const flags = ['-target', 'x86_64-linux-musl', '-shared', '-nostdlib++', '-Wl,--gc-sections'];
  flags.push(...neededBy(program).map((name) => `-Wl,-u,${name}`));
  const archives = [archive('libstdc++.a'), archive('libgcc_eh.a')];
  const zig = path.join(await zigDirectory(), 'zig');
  await mustRun(zig, ['cc', ...flags, '-o', library, source, ...archives]);
  return directory;
}
