// What the dynamic linker says when it does not load the binary, and what a person should do. Each
// system has words of its own for that, and names of its own for its limits.

/** npm 12 runs no script of a package unasked, and knows no --build-from-source any more. */
export const rebuild =
  '"npm rebuild holdfast" (with npm 12, "npm install-scripts approve holdfast" before that)';

export const reinstall = 'install the package again: remove its directory, and "npm install"';

type Row = readonly [words: RegExp, remedy: string];

const everywhere: readonly Row[] = [
  [
    /permission denied|operation not permitted/i,
    'this user may not read it, or a policy forbids to map it: check its mode and its owner',
  ],
  [
    /invalid ELF|wrong ELF|file too short|exec format|mach-o|incompatible architecture/i,
    'it is no binary for this system and processor: install the dependencies on this system ' +
      `instead of copying node_modules, or ${rebuild}`,
  ],
  [/did not self-register/i, `it is another library, or a damaged one: ${reinstall}`],
];

const manyFiles = 'this process has too many files open: close some, or raise the limit';
const short = 'memory is short: raise the limit of this process (ulimit -v)';

const onLinux: readonly Row[] = [
  [
    /cannot allocate memory|out of memory|failed to map segment|cannot map zero-fill/i,
    `the system does not map it. Either ${short} or of its container. Or a policy forbids it, as ` +
      'SELinux can: allow it there',
  ],
  [/too many open files/i, `${manyFiles} (ulimit -n)`],
  [
    /version [`'"]?(GLIBC|GLIBCXX|CXXABI)_/,
    `it was built for a newer C or C++ library than this system has: ${rebuild} makes one here. ` +
      'It needs a C++ compiler, make and Python 3',
  ],
  [
    /libc\.musl|ld-musl|ld-linux|libc\.so|relocating|symbol not found/i,
    'it was built for another C library, glibc or musl, than this system has: install the ' +
      `dependencies on this system (in the image that runs them), or ${rebuild}`,
  ],
];

const onDarwin: readonly Row[] = [
  [
    /cannot allocate memory|errno=12\b/i,
    `the system does not map it, because ${short}, or end some programs`,
  ],
  [
    /too many open files|errno=24\b/i,
    `${manyFiles} (ulimit -n; launchctl limit maxfiles for a service; at most sysctl ` +
      'kern.maxfilesperproc)',
  ],
  [
    /code signature|system policy/i,
    'macOS does not accept its signature in this program: a program with a hardened runtime needs ' +
      'the entitlement com.apple.security.cs.disable-library-validation, and a file that came by a ' +
      'browser has to leave quarantine (xattr -d com.apple.quarantine)',
  ],
  [
    /symbol not found|newer than running OS/i,
    'this system is older than macOS 11, or this runtime lacks functions of Node',
  ],
];

/** What to do about what the linker of `system` said; undefined if nothing is known. */
export function remedyFor(message: string, system: NodeJS.Platform): string | undefined {
  const own = system === 'darwin' ? onDarwin : onLinux;
  return [...own, ...everywhere].find(([words]) => words.test(message))?.[1];
}
