// What the addon needs of C++'s library, file by file, from the sources that zig brings. Left to
// itself zig compiles the whole library for each target, which takes longer than the addon. If a
// file is missing here, the binary asks others for what is in it, and the build refuses that.

import path from 'node:path';

const files = {
  'libcxx/src': [
    'algorithm',
    'condition_variable',
    'condition_variable_destructor',
    'hash',
    'memory',
    'mutex',
    'mutex_destructor',
    'string',
    'system_error',
    'verbose_abort',
  ],
  'libcxxabi/src': [
    'abort_message',
    'cxa_default_handlers',
    'cxa_guard',
    'cxa_handlers',
    'stdlib_new_delete',
  ],
};

/** As zig compiles them, but each function in a section: the linker drops what nobody calls. */
const definitions = [
  'NDEBUG',
  '_LIBCPP_BUILDING_LIBRARY',
  '_LIBCXXABI_BUILDING_LIBRARY',
  'LIBCXX_BUILDING_LIBCXXABI',
  'LIBCXXABI_NON_DEMANGLING_TERMINATE',
];
const compilation = ['-std=c++20', '-O2', '-fPIC', '-fvisibility=hidden', '-fno-exceptions', '-w'];
const sections = ['-fvisibility-inlines-hidden', '-ffunction-sections', '-fdata-sections'];

/** The files to compile: `{ name, source, flags }` each. `zig` is the directory of zig. */
export function libcxx(zig) {
  const library = path.join(zig, 'lib');
  const flags = [
    ...compilation,
    ...sections,
    '-fno-sanitize=all',
    ...definitions.map((name) => `-D${name}`),
    ...Object.keys(files).map((directory) => `-I${path.join(library, directory)}`),
  ];
  return Object.entries(files).flatMap(([directory, names]) =>
    names.map((name) => ({
      name,
      source: path.join(library, directory, `${name}.cpp`),
      flags,
    })),
  );
}
