// Builds the package: the addon by node-gyp, and src/ to lib/ by the TypeScript compiler. A build
// whose inputs have not changed is skipped.
//
//   npm run build                                   build/Release/holdfast.node and lib/
//   npm run build -- --platform=posix               build/posix/holdfast.node
//   npm run build -- --platform=darwin              build/darwin/holdfast.node, with the stand-in
//   npm run build -- --sanitize=address,undefined   build/asan/holdfast.node
//   npm run build -- --sanitize=thread              build/tsan/holdfast.node
//
// The others are variants: they leave the normal addon alone, and a program takes one by
// HOLDFAST_NATIVE=<path of the .node file>. --platform and --sanitize go together (posix-asan).

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import {
  die,
  filesUnder,
  hashOf,
  hasTool,
  isDone,
  isMain,
  knowOnly,
  markDone,
  mustRun,
  option,
  root,
  say,
  werror,
} from './common.mjs';
import { bundle } from './bundle.mjs';
import { faults, hostPlatform, platforms } from './sources.mjs';

const sanitizers = { 'address,undefined': 'asan', thread: 'tsan' };

/** Builds the addon, or a variant of it, and returns the path of the .node file. */
export async function buildAddon({ platform = hostPlatform, sanitize = '' } = {}) {
  const variant = [platform === hostPlatform ? '' : platform, sanitizers[sanitize] ?? '']
    .filter(Boolean)
    .join('-');
  const directory = `build/${variant || 'Release'}`;
  const output = `${directory}/holdfast.node`;
  const stamp = `${directory}/holdfast.stamp`;

  const inputs = ['native', 'binding.gyp', 'scripts/sources.mjs', 'native/test/darwin'];
  const hash = hashOf(
    inputs.flatMap((input) => filesUnder(input, input === 'native' ? ['native/test'] : [])),
    [process.version, process.versions.modules, process.arch, platform, sanitize, werror],
    JSON.parse(await readFile(path.join(root, 'node_modules/node-addon-api/package.json'))).version,
  );
  if (isDone(stamp, hash, output)) return path.join(root, output);

  say(`compiling the addon (${variant || 'default'}: ${output})`);
  requireTools();
  if (variant === '') {
    await nodeGyp(root, [`-Dwerror=${werror}`]);
  } else {
    const tree = await gypTree(variant);
    await takeObjects(platform, tree);
    await nodeGyp(tree, [`-Dplatform=${platform}`, `-Dsanitize=${sanitize}`, `-Dwerror=${werror}`]);
    // Copies and renames, so that a process which has the old file mapped keeps it whole.
    const temporary = path.join(root, `${output}.new`);
    await copyFile(path.join(tree, 'build/Release/holdfast.node'), temporary);
    await rename(temporary, path.join(root, output));
  }
  markDone(stamp, hash);
  return path.join(root, output);
}

/**
 * The environment for a program that loads the addon built with address,undefined. Node is not
 * linked with the sanitizer, so it must be loaded first. A report of it ends the process; it goes
 * to `log`.<pid> if `log` is given.
 */
export function sanitizerEnvironment(log) {
  const compiler = process.env.CXX ?? 'c++';
  const library = execFileSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const to = log ? `:log_path=${log}` : '';
  return {
    LD_PRELOAD: library.trim(),
    // The sanitizer would complain of memory that Node does not free at its end, and of how much
    // Node reserves. Its own handler of SIGSEGV would not say where the signal came from.
    ASAN_OPTIONS:
      'detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:' +
      `handle_segv=2:handle_sigbus=2${to}`,
    UBSAN_OPTIONS: `halt_on_error=1:abort_on_error=1:print_stacktrace=1${to}`,
  };
}

/**
 * A directory of links to the sources, in which node-gyp works. It always writes to `build/` in its
 * directory, even the Makefile. So each variant has a directory, and keeps its own object files.
 */
export async function gypTree(variant) {
  const tree = path.join(root, 'build', variant, 'gyp');
  await mkdir(tree, { recursive: true });
  for (const name of ['binding.gyp', 'native', 'node_modules', 'package.json', 'scripts']) {
    const link = path.join(tree, name);
    if (!existsSync(link))
      await symlink(path.relative(await realpath(tree), path.join(root, name)), link);
  }
  return tree;
}

/**
 * `darwin-without-x` is darwin but for one file, so make needs to compile no other. It goes by the
 * times of files, which the copies keep.
 */
async function takeObjects(platform, tree) {
  const [whole, fault] = platform.split('-without-');
  const from = path.join(root, 'build', whole, 'gyp/build');
  const to = path.join(tree, 'build');
  if (fault === undefined || existsSync(to) || !existsSync(from)) return;
  await cp(from, to, { recursive: true, preserveTimestamps: true });
}

async function nodeGyp(cwd, definitions) {
  // Runs node-gyp through npm. node-gyp takes its settings (nodedir, python, proxies) from the
  // environment that npm makes of its configuration. In this way it has them however this script
  // was started.
  const gyp = (...args) =>
    mustRun(
      'npm',
      ['exec', '--offline', '--loglevel=error', '--', 'node-gyp', '--loglevel=warn', ...args],
      {
        cwd,
        env: nodeHeaders(),
      },
    );
  // Not `rebuild`, because that removes build/ with the variants and with everything that need not
  // be compiled again.
  await gyp('configure', '--', ...definitions);
  await gyp('build', '--jobs=max');
}

/**
 * The headers of this Node if they lie beside it, as in its archives. Then node-gyp downloads
 * nothing.
 */
function nodeHeaders() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  const known = process.env.npm_config_nodedir !== undefined;
  if (known || !existsSync(path.join(prefix, 'include/node/node_api.h'))) return {};
  return { npm_config_nodedir: prefix };
}

/** node-gyp's own message for these is a page long, and names none of the packages. */
function requireTools() {
  const missing = [];
  if (!process.env.CXX && !hasTool('c++') && !hasTool('g++') && !hasTool('clang++'))
    missing.push('C++ compiler');
  if (!hasTool('make')) missing.push('make');
  const python = process.env.PYTHON ?? process.env.npm_config_python;
  if (!python && !hasTool('python3') && !hasTool('python')) missing.push('python3');
  if (missing.length === 0) return;
  const cure =
    process.platform === 'darwin'
      ? 'xcode-select --install'
      : 'apt-get install build-essential python3   (Debian, Ubuntu)\n' +
        '  dnf install gcc-c++ make python3           (Fedora)\n' +
        '  apk add build-base python3                 (Alpine)';
  throw new Error(`cannot compile the addon, there is no ${missing.join(', no ')}. Try\n  ${cure}`);
}

/**
 * Removes the declarations that no entry of the package reaches. They describe internals, which a
 * user can neither import nor use.
 */
function removeInternalDeclarations(directory) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const reached = new Set();
  const visit = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
      /['"](\.{1,2}\/[^'"]+)\.js['"]/g,
    )) {
      visit(path.join(path.dirname(file), `${specifier}.d.ts`));
    }
  };
  const entries = Object.values(manifest.typesVersions['*']).flat();
  for (const entry of ['lib/index.d.mts', ...entries]) {
    visit(path.join(directory, path.relative('lib', entry)));
  }
  for (const name of readdirSync(directory, { recursive: true })) {
    const file = path.join(directory, name);
    const declaration = file.replace(/\.map$/, '');
    if (/\.d\.m?ts$/.test(declaration) && !reached.has(declaration)) rmSync(file);
  }
}

/** Compiles src/ to lib/. */
export async function buildTypeScript() {
  const stamp = 'build/lib.stamp';
  const settings = ['tsconfig.json', 'package-lock.json'];
  const tools = ['scripts/bundle.mjs', 'scripts/source-map.mjs'];
  const hash = hashOf([...filesUnder('src'), ...settings, ...tools]);
  if (isDone(stamp, hash, 'lib/index.js')) return;
  say('compiling src/ to lib/');
  // Compiles into a directory beside lib/, so that paths in source maps hold, and then swaps the
  // two. If a source has an error, the old lib/ stays whole. A file whose source is gone
  // disappears.
  const fresh = path.join(root, 'lib.new');
  const lib = path.join(root, 'lib');
  try {
    await mustRun(process.execPath, ['node_modules/typescript/bin/tsc', '--outDir', 'lib.new']);
    removeInternalDeclarations(fresh);
    // lib/ is CommonJS, as src/ is; lib/index.mjs is the entry for import.
    await copyFile(path.join(root, 'src/package.json'), path.join(fresh, 'package.json'));
    bundle(fresh);
    await rm(lib, { recursive: true, force: true });
    await rename(fresh, lib);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  markDone(stamp, hash);
}

if (isMain(import.meta)) {
  knowOnly('platform', 'sanitize');
  const platform = option('platform') ?? hostPlatform;
  const sanitize = option('sanitize') ?? '';
  const known = [...platforms, ...faults];
  if (!known.includes(platform)) die(`--platform is one of ${known.join(', ')}`);
  if (sanitize !== '' && !(sanitize in sanitizers)) {
    die(`--sanitize is one of ${Object.keys(sanitizers).join(' ')}`);
  }
  try {
    const addon = await buildAddon({ platform, sanitize });
    await buildTypeScript();
    say(`${path.relative(root, addon)} and lib/ are up to date`);
    if (sanitize !== '') {
      // Node is not linked with the sanitizer, so it must be loaded first.
      const library = sanitize === 'thread' ? 'libtsan.so' : 'libasan.so';
      say(
        `run with LD_PRELOAD="$(c++ -print-file-name=${library})" HOLDFAST_NATIVE=$PWD/${path.relative(root, addon)}`,
      );
    }
  } catch (error) {
    die(error.message);
  }
}
