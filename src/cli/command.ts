// What all subcommands of `holdfast` have in common: their options, their exit codes, their help.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { WaitOptions } from '../index.js';
import { printable } from '../observe/printable.js';

/** Exit codes. Those above 1 are those of sysexits(3), as flock(1) has them. */
export const exit = {
  ok: 0,
  /** The lock was not to be had in time, the queue had nothing: see each command. */
  negative: 1,
  /** Wrong arguments. */
  usage: 64,
  /** There is no object of that name. */
  noInput: 66,
  /** The command could not be started. */
  unavailable: 69,
  /** The wait was the youngest of a deadlock. */
  deadlock: 70,
  /** The system refused something. */
  system: 71,
  /** The last holder died, and --abandoned=fail was given. */
  abandoned: 75,
} as const;

/** Wrong arguments: main() prints the message and the way to --help. */
export class UsageError extends Error {}

export type Options = NonNullable<ParseArgsConfig['options']>;
export type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** What --help prints: the synopsis first. */
  readonly help: string;
  /** Returns the exit code. */
  run(args: string[]): Promise<number> | number;
}

/** Reads options and exactly `names.length` positional arguments. */
export function read(
  args: readonly string[],
  options: Options,
  names: readonly string[] = [],
): { values: Values; positionals: string[] } {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { positionals } = parsed;
  if (positionals.length < names.length) {
    throw new UsageError(`${names[positionals.length]} is missing`);
  }
  if (positionals.length > names.length) {
    throw new UsageError(`${JSON.stringify(positionals[names.length])} is one argument too many`);
  }
  return { values: parsed.values as Values, positionals };
}

/** An option that is a number, or undefined. */
export function numberOption(
  values: Values,
  name: string,
  least: number,
  most: number,
  isWhole = true,
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : NaN;
  if (!(value >= least && value <= most) || (isWhole && !Number.isInteger(value))) {
    const kind = isWhole ? 'a whole number' : 'a number';
    throw new UsageError(`--${name} is ${kind} from ${least} to ${most}, not ${String(text)}`);
  }
  return value;
}

/** An option that is one of some words, or undefined. */
export function choiceOption<T extends string>(
  values: Values,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!choices.includes(text as T)) {
    throw new UsageError(`--${name} is one of ${choices.join(', ')}, not ${String(text)}`);
  }
  return text as T;
}

/** Seconds of the command line as milliseconds of the package. */
export function secondsOption(values: Values, name: string): number | undefined {
  const seconds = numberOption(values, name, 0, 2_147_483, false);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** For commands that wait: --timeout and --no-wait. */
export const waitOptions = {
  timeout: { type: 'string', short: 'w' },
  'no-wait': { type: 'boolean', short: 'n' },
} as const satisfies Options;

/** How long such a command waits. */
export function waitOf(values: Values): WaitOptions {
  if (values['no-wait'] && values['timeout'] !== undefined) {
    throw new UsageError('take one of --timeout and --no-wait');
  }
  const timeout = values['no-wait'] ? 0 : secondsOption(values, 'timeout');
  return timeout === undefined ? {} : { timeout };
}

/** Splits at the first `--`: what is ours, and the command with its arguments. */
export function splitCommand(args: readonly string[]): [ours: string[], command: string[]] {
  const at = args.indexOf('--');
  return at < 0 ? [[...args], []] : [args.slice(0, at), args.slice(at + 1)];
}

/** What other programs wrote may be in it, such as a name. */
export function say(text: string): void {
  process.stderr.write(`holdfast: ${text.split('\n').map(printable).join('\n')}\n`);
}
