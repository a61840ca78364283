// What the constructor of Process takes: the target and the options, with their types and their
// checks.
import { fileURLToPath } from 'node:url';
import { readOptions } from '../options.js';
import { isErrorClass } from '../records/thrown.js';
import { type ProcessStream, namesProgram } from './launch.js';
import { isUrl, resolveModule } from './target.js';

/** A target that is named by its module. */
export interface ModuleTarget {
  /**
   * A URL, an absolute path, a path that begins with `./` or `../`, or the name of a package. Such
   * a relative path counts from the directory of the main module. `import.meta.url` is the module
   * in which it is written.
   */
  module: string | URL;
  /** The name of the export; `default` if left out. */
  export?: string | undefined;
}

/** How a Process runs. `Arguments` are the parameters of its target. */
export interface ProcessOptions<Arguments extends readonly unknown[] = readonly unknown[]> {
  /** The arguments of the target; `[]` if left out. Process says how they travel. */
  args?: Readonly<Arguments> | undefined;
  /**
   * The name of the Process, a string that is not empty; `Process-1` and so on if left out.
   * `inspect()` of a lock shows it as the holder's `processName`.
   */
  name?: string | undefined;
  /**
   * If true: the child ends with this process, however this process ends, and may not start
   * Processes. If left out, it is what this process is.
   */
  daemon?: boolean | undefined;
  /**
   * The whole environment of the child; that of this process at start() if left out. HOLDFAST_DIR
   * is passed on unless it is in here, because the child needs it to find the objects in its
   * arguments.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * The working directory of the child: a path or a `file:` URL. That of this process at start() if
   * left out.
   */
  cwd?: string | URL | undefined;
  /**
   * Where standard input, output and error lead: one word for all of them, or an array of three.
   * `'pipe'` makes a stream of it: see `stdin`, `stdout` and `stderr`. Without it input is
   * `'ignore'`, and the others are `'inherit'`.
   */
  stdio?: ProcessStream | readonly [ProcessStream, ProcessStream, ProcessStream] | undefined;
  /**
   * The options of the child's `node`, such as `['--max-old-space-size=512']`. If left out, they
   * are those of this process, except options that name another program, and the inspector's.
   */
  execArgv?: readonly string[] | undefined;
  /**
   * Classes of errors of your own, which extend Error. An error that `result()` rejects with is of
   * the class here that has the name of its class in the child. The constructor is not called.
   */
  errors?: readonly Function[] | undefined;
}

/** What a Process is made with, once it has been read. */
export interface ReadProcessOptions extends Omit<ProcessOptions, 'cwd' | 'stdio'> {
  cwd?: string | undefined;
  stdio?: readonly ProcessStream[] | undefined;
}

/** What `result()` of a Process resolves to. */
export type TargetResult<Target> = Target extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : unknown;

/** The parameters of a target. Those of a plain `Function` are not known: `unknown[]`. */
export type TargetArguments<Target> = Target extends (...args: infer Arguments) => unknown
  ? Arguments
  : unknown[];

/**
 * The parameters of Process's constructor behind the target. They may be left out if the target can
 * be called without arguments.
 */
export type ProcessOptionsFor<Arguments extends readonly unknown[]> = [] extends Arguments
  ? [options?: ProcessOptions<Arguments>]
  : [options: ProcessOptions<Arguments> & { args: Readonly<Arguments> }];

/** A target whose module, if it has one, is a URL. */
export type CheckedTarget = Function | { readonly module: string; readonly export: string };

const processOptions = [
  'args',
  'name',
  'daemon',
  'env',
  'cwd',
  'stdio',
  'execArgv',
  'errors',
] as const;
const streams: readonly unknown[] = ['inherit', 'ignore', 'pipe'] satisfies ProcessStream[];
const targetOptions = ['module', 'export'] as const;

/**
 * @throws TypeError for a value that cannot be a target; ProcessError if there is no such package.
 */
export function checkTarget(target: unknown): CheckedTarget {
  if (typeof target === 'function') {
    if (/^class\b/.test(Function.prototype.toString.call(target))) {
      throw new TypeError(
        `target must be a function that can be called, not the class ${target.name}`,
      );
    }
    if (/Generator/.test(Object.prototype.toString.call(target))) {
      throw new TypeError(
        `target must not be the generator ${target.name}: calling it runs nothing`,
      );
    }
    return target;
  }
  if (typeof target !== 'object' || target === null || !Object.hasOwn(target, 'module')) {
    throw new TypeError('target must be a function or { module, export }');
  }
  if (Object.hasOwn(target, 'args')) {
    throw new TypeError('args go into the second argument: new Process(target, { args })');
  }
  const { module, export: name = 'default' } = readOptions(target, targetOptions);
  if ((typeof module !== 'string' || module === '') && !isUrl(module)) {
    throw new TypeError('target.module must be a path, a URL or the name of a package');
  }
  if (typeof name !== 'string') throw new TypeError('target.export must be the name of an export');
  return { module: resolveModule(module), export: name };
}

/** @throws TypeError for a wrong option, or one that does not exist. */
export function readProcessOptions(options: unknown): ReadProcessOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object: { args: [...], name, daemon, ... }');
  }
  const { args, name, daemon, ...read } = readOptions(options, processOptions);
  if (args !== undefined && !Array.isArray(args)) throw new TypeError('args must be an array');
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('name must be a string with something in it');
  }
  if (daemon !== undefined && typeof daemon !== 'boolean') {
    throw new TypeError('daemon must be a boolean');
  }
  return {
    args,
    name,
    daemon,
    env: readEnvironment(read.env),
    cwd: readDirectory(read.cwd),
    stdio: readStdio(read.stdio),
    execArgv: readExecArgv(read.execArgv),
    errors: readErrors(read.errors),
  };
}

/** Node would make text of a value that is none, as of `undefined` in an array. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

function readEnvironment(env: unknown): Record<string, string | undefined> | undefined {
  if (env === undefined) return undefined;
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    throw new TypeError('env must be an object of strings, such as { ...process.env, LEVEL: "1" }');
  }
  const read: Record<string, string | undefined> = { ...env };
  for (const [key, value] of Object.entries(read)) {
    if (!isText(key) || key === '' || key.includes('=')) {
      throw new TypeError(`env has ${JSON.stringify(key)}, which is no name of a variable`);
    }
    if (value !== undefined && !isText(value)) {
      throw new TypeError(`env.${key} must be a string without NUL`);
    }
  }
  return read;
}

function readDirectory(cwd: unknown): string | undefined {
  if (cwd === undefined) return undefined;
  const directory = isUrl(cwd) && cwd.protocol === 'file:' ? fileURLToPath(cwd.href) : cwd;
  if (!isText(directory) || directory === '') {
    throw new TypeError('cwd must be a path or a file: URL');
  }
  return directory;
}

function readStdio(stdio: unknown): ProcessStream[] | undefined {
  if (stdio === undefined) return undefined;
  const three: unknown[] = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio];
  if (three.length !== 3 || !three.every((stream) => streams.includes(stream))) {
    throw new TypeError(
      "stdio must be 'inherit', 'ignore' or 'pipe', or an array of three: input, output, error",
    );
  }
  return three as ProcessStream[];
}

/** @throws TypeError unless they are classes of errors, or undefined. */
export function readErrors(errors: unknown): Function[] | undefined {
  if (errors === undefined) return undefined;
  if (!Array.isArray(errors) || !errors.every(isErrorClass)) {
    throw new TypeError('errors must be an array of classes that extend Error');
  }
  return [...errors];
}

function readExecArgv(value: unknown): string[] | undefined {
  const options = readTexts('execArgv', value);
  const wrong = options?.find(namesProgram);
  if (wrong !== undefined) {
    throw new TypeError(`execArgv has ${wrong}, with which node would run another program`);
  }
  return options;
}

/** @throws TypeError unless it is an array of texts, or undefined. */
export function readTexts(what: string, value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  const texts: unknown[] = Array.isArray(value) ? [...value] : [value];
  if (!Array.isArray(value) || !texts.every(isText)) {
    throw new TypeError(`${what} must be an array of strings without NUL`);
  }
  return texts as string[];
}
