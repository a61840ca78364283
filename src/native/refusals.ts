// Why the addon could not be loaded, each cause in a sentence with its remedy.
import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { describe, here, isCutOff, isForeign, targetOf } from './binary.js';
import { rebuild, reinstall, remedyFor } from './linkers.js';

const permissionModel =
  'this process runs under the permission model of Node, which loads no addon: ' +
  'add --allow-addons, and --allow-fs-read for node_modules';

/** As package.json names them. On another one the addon cannot be compiled either. */
const systems = ['linux', 'darwin'];

/** For these the package comes with a binary, on each of the systems and for each C library. */
const processors = ['x64', 'arm64'];

const noexec =
  'it lies on a file system that is mounted noexec: mount that without noexec, or install the ' +
  'package on another one';

const isChosen = () => Boolean(process.env['HOLDFAST_NATIVE']);

/** The binary, and who has named it if that was not this package. */
function named(file: string): string {
  return isChosen() ? `${file}, which HOLDFAST_NATIVE names` : file;
}

/** What to do about a file that is of no use. */
function replace(): string {
  return isChosen() ? 'name another one, or unset HOLDFAST_NATIVE' : reinstall;
}

/** This Node lacks what the package calls; undefined if it has all of that. */
export function whyTooOld(): string | undefined {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) >= 20) return undefined;
  return `holdfast needs Node 20.19 or later, and this is Node ${node}`;
}

/** The end of the binary `file` is missing or empty; undefined if it is whole. */
export function whyCutOff(file: string): string | undefined {
  if (!isCutOff(file)) return undefined;
  return (
    `holdfast cannot load its binary ${named(file)}: its end is missing, as after a copy that was ` +
    `cut short, a power failure or a full disk: ${replace()}`
  );
}

/** The binary `file` was loaded, and lacks what this version calls. */
export function whyOther(file: string, missing: readonly string[]): string {
  return (
    `holdfast cannot use its binary ${named(file)}: it is of another version of holdfast, and ` +
    `has no ${missing[0]}: ${replace()}`
  );
}

/** The binary `file` could not be loaded. */
export function whyRefused(file: string, cause: unknown, system = process.platform): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const says = (why: string) => `holdfast cannot load its binary ${named(file)}: ${why}`;
  if (code === 'ERR_ACCESS_DENIED') return says(permissionModel);
  if (code === 'ERR_DLOPEN_DISABLED') {
    return says(
      hasPermissionModel()
        ? permissionModel
        : 'Node was started with --no-addons: leave that out (see NODE_OPTIONS, too)',
    );
  }
  if (isDirectory(file)) {
    return says(`it is a directory: ${isChosen() ? 'name a file' : `remove it, and ${rebuild}`}`);
  }
  if (code === 'MODULE_NOT_FOUND' || /no such file/i.test(message)) {
    const missing = whyNotThere(file);
    if (missing !== undefined) return says(missing);
  }
  const foreign = whyForeign(file);
  if (foreign !== undefined) return says(foreign);
  if (isOnNoexec(file)) return says(`${noexec} (${message})`);
  const remedy = remedyFor(message, system);
  return says(remedy ? `${remedy} (${message})` : message);
}

function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** Undefined if the file is there: then the linker misses a library that the file asks for. */
function whyNotThere(file: string): string | undefined {
  let code: string | undefined;
  try {
    statSync(file);
    return undefined;
  } catch (error) {
    ({ code } = error as NodeJS.ErrnoException);
  }
  if (code === 'EACCES') return 'this user may not enter its directory: check the mode of that';
  const target = targetOfLink(file);
  if (target === undefined) return `there is no such file: ${replace()}`;
  return `it is a link to ${target}, which is not there: ${replace()}`;
}

/** Where the symbolic link leads; undefined if it is none. */
function targetOfLink(file: string): string | undefined {
  try {
    return lstatSync(file).isSymbolicLink() ? readlinkSync(file) : undefined;
  } catch {
    return undefined;
  }
}

/** The binary is for another system, processor or C library. */
function whyForeign(file: string): string | undefined {
  const target = targetOf(file);
  const own = here();
  if (target === undefined || !isForeign(target, own)) return undefined;
  return (
    `it is for ${describe(target)}, and this is ${describe(own)}: install the dependencies on this ` +
    `system (in the image that runs them) instead of copying node_modules, or ${rebuild}`
  );
}

/** There is no binary for this machine in the package at `root`. */
export function whyMissing(root: string, cause?: unknown): string {
  const system = `${process.platform}-${process.arch}`;
  if (!systems.includes(process.platform)) {
    return `holdfast runs on Linux and macOS, and this is ${system}`;
  }
  const none = `holdfast has no binary for ${system} (Node ${process.version}) in ${root}: `;
  if (hasPermissionModel() && !mayRead(root)) return none + permissionModel;
  if (cause !== undefined) return none + whyUnreadable(cause as NodeJS.ErrnoException);
  if (nameOf(root) !== 'holdfast') {
    const why = 'this is not its package, so a bundler has moved its code';
    return `${none}${why}: declare holdfast external`;
  }
  const others = filesIn(path.join(root, 'prebuilds', system));
  if (others.length > 0) {
    const remedy = processors.includes(process.arch)
      ? `The package comes with one: ${reinstall}`
      : `Where a compiler is installed, ${rebuild} makes one`;
    return `${none}there is only ${others.join(', ')}, and this is ${describe(here())}. ${remedy}`;
  }
  const prebuilds = path.join(root, 'prebuilds');
  const all = filesIn(prebuilds).filter((one) => filesIn(path.join(prebuilds, one)).length > 0);
  const shipped = all.length > 0 ? `the package has some for ${all.join(', ')}, and ` : '';
  const approval = isInstalledByPnpm(root)
    ? 'pnpm runs it only after "pnpm approve-builds"; then "pnpm rebuild holdfast"'
    : 'npm runs it only without ignore-scripts, and since version 12 only after ' +
      '"npm install-scripts approve holdfast"; then "npm rebuild holdfast"';
  return (
    `${none}${shipped}its install script, which compiles one, was blocked or has failed. ` +
    `${approval}. It needs a C++ compiler, make and Python 3`
  );
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code !== 'EACCES') return `${message}: ${reinstall}`;
  return `${message}: this user may not read it: check its mode and its owner`;
}

/** pnpm leaves a file in the node_modules that it makes, where a hoisted package lies itself. */
function isInstalledByPnpm(root: string): boolean {
  for (let at = root; at !== path.dirname(at); at = path.dirname(at)) {
    if (path.basename(at) === 'node_modules' && existsSync(path.join(at, '.modules.yaml'))) {
      return true;
    }
  }
  return root.includes(`${path.sep}.pnpm${path.sep}`);
}

/** The linker of glibc has the same words for this as for a lack of memory. */
function isOnNoexec(file: string): boolean {
  try {
    const real = realpathSync(file);
    const above = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , , , point]) => point !== undefined && isBelow(real, unescaped(point)));
    const nearest = above.reduce((one, next) => (next[4]!.length >= one[4]!.length ? next : one));
    return nearest[5]!.split(',').includes('noexec');
  } catch {
    return false; // not Linux, or the permission model
  }
}

/** The kernel writes spaces and the like as numbers. */
function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function isBelow(file: string, directory: string): boolean {
  return directory === '/' || file === directory || file.startsWith(`${directory}/`);
}

interface Permission {
  has(scope: string, reference?: string): boolean;
}

function permission(): Permission | undefined {
  return (process as { permission?: Permission }).permission;
}

function hasPermissionModel(): boolean {
  return permission() !== undefined;
}

function mayRead(root: string): boolean {
  return permission()?.has('fs.read', root) ?? true;
}

function nameOf(root: string): unknown {
  const manifest = path.join(root, 'package.json');
  if (!existsSync(manifest)) return undefined;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name;
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not there, no directory, or not to be read
  }
}
