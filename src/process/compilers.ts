// Targets in TypeScript. Node before 22.18 cannot load TypeScript, so another tool in the child has
// to compile it.
import { ProcessError } from '../errors.js';

export function isTypeScript(module: string): boolean {
  return /\.[cm]?tsx?$/.test(module);
}

export function needsCompiler(module: string): string {
  return (
    `${module} is TypeScript, and nothing in the child compiles it: name a JavaScript module, or ` +
    'start the program with "node --import tsx", whose children have that option, too, or use ' +
    'Node 22.18 or later. A test runner compiles only for its own process'
  );
}

/**
 * Arguments that may give a child a compiler. An argument without a dash may be one, too: ts-node
 * runs a program in that way.
 */
const mayCompile =
  /^(-r|--require|--import|--(experimental-)?loader|--experimental-\w+-types|[^-])/;

/** @throws ProcessError if it is known now that a child cannot load the module. */
export function checkCompiled(
  module: string,
  execArgv: readonly string[] = process.execArgv,
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  if (!isTypeScript(module) || ('typescript' in process.features && process.features.typescript))
    return;
  const options = [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(' ')];
  if (!options.some((option) => mayCompile.test(option))) {
    throw new ProcessError(needsCompiler(module));
  }
}
