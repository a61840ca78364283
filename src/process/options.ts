// What the constructor of Process takes: the target and the options, with their types and their
// checks.
import { readOptions } from '../options.js';
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
}

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

const processOptions = ['args', 'name', 'daemon'] as const;
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
export function readProcessOptions(options: unknown): ProcessOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError('options must be an object: { args: [...], name, daemon }');
  }
  const { args, name, daemon } = readOptions(options, processOptions);
  if (args !== undefined && !Array.isArray(args)) throw new TypeError('args must be an array');
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('name must be a string with something in it');
  }
  if (daemon !== undefined && typeof daemon !== 'boolean') {
    throw new TypeError('daemon must be a boolean');
  }
  return { args, name, daemon };
}
