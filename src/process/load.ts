// Loads the target of a Process, or of a task of a Pool, in the process that calls it.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProcessError } from '../errors.js';
import { isTypeScript, needsCompiler } from './compilers.js';
import { type TargetReference, find, mainModule, observedMain } from './target.js';

/** @throws ProcessError if it is not there; what its module throws. */
export async function loadTarget(target: TargetReference): Promise<Function> {
  const exports = await importTarget(target.module);
  if (target.module === mainModule()) observedMain(exports);
  return find(exports, target);
}

async function importTarget(module: string): Promise<Record<string, unknown>> {
  try {
    return (await import(module)) as Record<string, unknown>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' || !isTypeScript(module)) throw error;
    const file = fileURLToPath(module);
    // ts-node and similar tools compile modules for require(), and not for import.
    if (path.extname(file) in require.extensions) return require(file) as Record<string, unknown>;
    throw new ProcessError(needsCompiler(module), { cause: error });
  }
}
