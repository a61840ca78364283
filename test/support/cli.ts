// `holdfast`, the command, as the tests start it.
import path from 'node:path';
import { type Outcome, Program, type ProgramOptions } from './program.js';

export const cliFile = path.join(import.meta.dirname, '../../lib/cli/main.js');

/** Starts it. */
export function startCli(args: string[], options: ProgramOptions = {}): Program {
  return new Program('', { ...options, nodeArgs: [cliFile, ...args] });
}

/** Runs it to its end. Its standard input is `input`, or empty. */
export function cli(args: string[], options: ProgramOptions = {}): Promise<Outcome> {
  return startCli(args, { input: '', ...options }).outcome();
}
