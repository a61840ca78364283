// How a child finds the function that it has to call. A function target is looked up in the exports
// of the main module. That is the module that the program was started with.
import { createHash } from 'node:crypto';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { ProcessError } from '../errors.js';
import { identity } from '../identity.js';
import { once } from '../native/once.js';

/** Names the function that a child has to call. */
export interface TargetReference {
  /** The URL of the module. */
  readonly module: string;
  /** The name of the export. */
  readonly export: string;
  /**
   * The hash of the function's text. Given if the parent could not see yet whether the function is
   * exported.
   */
  readonly digest?: string;
}

type Exports = Readonly<Record<string, unknown>>;

/** Options with which a program has no file. */
const evalOptions = /^(-e|-p|-pe|--eval|--print)(=|$)/;

interface Main {
  /** The file; null if there is none. */
  script?: string | null;
  /** The exports of an ES main module, once it has been evaluated. */
  exports?: Exports;
  /** True once observeMain() has begun to look. */
  observed?: boolean;
}

const program = once('main', (): Main => ({}));

/**
 * The URL of the main module. Null in a REPL, with --eval, and for a program that is read from
 * standard input.
 */
export function mainModule(): string | null {
  const given = identity().mainModule;
  if (given !== undefined) return given;
  program.script ??= findScript();
  return program.script === null ? null : pathToFileURL(program.script).href;
}

/** pm2 runs a program inside this program of its own. */
const containerOfPm2 = /[\\/]ProcessContainer\w*\.js$/;

function namedScript(): string | undefined {
  const named = process.argv[1];
  const { pm_exec_path: inContainer } = process.env;
  return inContainer && containerOfPm2.test(named ?? '') ? inContainer : named;
}

function findScript(): string | null {
  const named = namedScript();
  if (named === undefined || named === '-' || process.execArgv.some((arg) => evalOptions.test(arg)))
    return null;
  const absolute = path.resolve(named);
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (/--preserve-symlinks-main\b/.test(options)) return absolute;
  try {
    // Node does the same: `node program` may mean program.js, and symbolic links are followed.
    return createRequire(absolute).resolve(absolute);
  } catch {
    return absolute;
  }
}

/**
 * Looks at the exports of an ES main module once it has been evaluated. This is called before the
 * exports are needed, because the answer takes a turn of the event loop.
 */
export function observeMain(): void {
  if (program.observed || !isMainThread || identity().parent !== null) return;
  program.observed = true;
  const url = mainModule();
  // commonJsMain() looks at a CommonJS module. An import before it is loaded would fix for good
  // which exports others see. In a test runner the import would run the runner again.
  if (url === null || commonJsMain() || hostOf() !== undefined) return;
  import(url).then(
    (exports: Exports) => {
      program.exports = exports;
    },
    () => {}, // it threw, and Node reports that
  );
}

/** Called in a child, which has loaded the main module itself. */
export function observedMain(exports: Exports): void {
  program.exports = exports;
}

/** The main module, if it is CommonJS. In pm2 the module that Node began with may be pm2's. */
function commonJsMain(): { exports: unknown; loaded: boolean } | undefined {
  const main = identity().parent === null ? process.mainModule : undefined;
  return main && containerOfPm2.test(main.filename) ? undefined : main;
}

/** Why the main module cannot export a function of this code; undefined if it can. */
function hostOf(): string | undefined {
  if (!isMainThread) return 'this is a worker thread';
  // Functions of Node belong to the main realm.
  if (!(path.join instanceof Function)) {
    return 'this code runs in a context of its own, as in Jest and the vm pools of Vitest';
  }
  if ('__vitest_worker__' in globalThis) return 'the main module is a worker of Vitest';
  return undefined;
}

/**
 * Makes the reference by which a child finds a function.
 *
 * @throws ProcessError if it is known now that no child can find it.
 */
export function refer(fn: Function): TargetReference {
  const module = mainModule();
  const called = fn.name === '' ? 'an anonymous function' : `the function ${fn.name}`;
  const remedy =
    "Or name its module, with { module: import.meta.url, export: '...' } instead of the function; " +
    'in CommonJS, module: __filename';
  if (module === null) {
    throw new ProcessError(`${called} has no module file that a child could load. ${remedy}`);
  }
  const host = hostOf();
  if (host !== undefined) {
    throw new ProcessError(`${called} is not in the main module, because ${host}. ${remedy}`);
  }
  const main = commonJsMain();
  const key = main
    ? keyOf(fn, fromCommonJs(main.exports))
    : keyOf(fn, program.exports, fromCommonJs(program.exports?.['default']));
  if (key !== undefined) return { module, export: key };
  const complete = main ? main.loaded : program.exports !== undefined;
  const text = Function.prototype.toString.call(fn);
  if (complete || fn.name === '' || text.includes('[native code]')) {
    throw new ProcessError(
      `${called} is not an export of the main module ${module}, where a child would look for it: ` +
        `export it there. ${remedy}`,
    );
  }
  return { module, export: fn.name, digest: digest(fn) };
}

/**
 * Finds the function that a reference of refer() means, among the exports of its module.
 *
 * @throws ProcessError if it is not there.
 */
export function find(exports: Exports, target: TargetReference): Function {
  const found = member(exports, target.export);
  if (target.digest === undefined) {
    if (typeof found === 'function') return found;
    const what =
      found === undefined ? 'does not export' : 'exports something else than a function as';
    throw new ProcessError(`the module ${target.module} ${what} "${target.export}"`);
  }
  if (typeof found === 'function' && digest(found) === target.digest) return found;
  // It may be exported under another name.
  const all = new Set([
    ...Object.values(exports),
    ...Object.values(fromCommonJs(exports['default'])),
  ]);
  const same = [...all].filter(
    (value) =>
      typeof value === 'function' &&
      value.name === target.export &&
      digest(value) === target.digest,
  );
  if (same.length === 1) return same[0] as Function;
  throw new ProcessError(
    `the function ${target.export} is not an export of the main module ${target.module}, ` +
      'where a child looks for it: export it there. Or name its module, with ' +
      "{ module: import.meta.url, export: '...' } instead of the function",
  );
}

function keyOf(fn: Function, ...places: (Exports | undefined)[]): string | undefined {
  for (const exports of places) {
    const key = Object.keys(exports ?? {}).find((name) => exports?.[name] === fn);
    if (key !== undefined) return key;
  }
  return undefined;
}

/**
 * The export of that name. If a module is CommonJS, Node sees only some of its exports before it
 * runs. The others are found in its default export.
 */
function member(exports: Exports, name: string): unknown {
  const inside = exports['default'];
  if (Object.hasOwn(exports, name)) {
    if (name !== 'default' || typeof inside === 'function') return exports[name];
  }
  return fromCommonJs(inside)[name];
}

function fromCommonJs(exports: unknown): Exports {
  if (typeof exports === 'function') return { ...exports, default: exports };
  return typeof exports === 'object' && exports !== null ? (exports as Exports) : {};
}

function digest(fn: Function): string {
  return createHash('sha256').update(Function.prototype.toString.call(fn)).digest('hex');
}

/** Also for a URL of another realm. */
export function isUrl(value: unknown): value is URL {
  return value instanceof URL || Object.prototype.toString.call(value) === '[object URL]';
}

/**
 * Makes a URL of a module's name: of a URL, an absolute path, a path that begins with ./ or ../
 * (from the directory of the main module), or the name of a package.
 *
 * @throws ProcessError if there is no such package.
 */
export function resolveModule(module: string | URL): string {
  if (isUrl(module)) return module.href;
  if (path.isAbsolute(module)) return pathToFileURL(module).href;
  const main = mainModule() ?? pathToFileURL(path.join(process.cwd(), 'main')).href;
  if (/^\.\.?(\/|$)/.test(module)) return beside(main, module);
  if (isBuiltin(module)) return module.startsWith('node:') ? module : `node:${module}`;
  if (/^[a-z][a-z\d+.-]+:/i.test(module)) return new URL(module).href;
  return resolvePackage(module, main);
}

/** Resolves a path against the main module. `%`, `#` and `?` mean nothing in a path. */
function beside(main: string, module: string): string {
  if (!main.startsWith('file:')) return new URL(module, main).href;
  return pathToFileURL(path.resolve(path.dirname(fileURLToPath(main)), module)).href;
}

function resolvePackage(specifier: string, main: string): string {
  try {
    return pathToFileURL(createRequire(main).resolve(specifier)).href;
  } catch (cause) {
    // The package exists, but has no entry for require(). The child imports it by its name. That
    // works from the place of this package, and not from the main module.
    if ((cause as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return specifier;
    throw new ProcessError(
      `cannot find the package ${JSON.stringify(specifier)} from ${main}; ` +
        'a path begins with / or ./',
      { cause },
    );
  }
}
