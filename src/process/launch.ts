// Starts the Node process of a child. Defines the messages between a child and its parent.
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ProcessError } from '../errors.js';
import { type TargetReference, mainModule } from './target.js';
import { type Identity, birthCertificate, identity } from '../identity.js';

/** How a process starts its children. A child inherits it. */
export interface StartPlan {
  readonly method: 'spawn' | 'forkserver';
  /** URLs of the modules that idle children load. */
  readonly preload: readonly string[];
  /** How many idle children there should be. */
  readonly idle: number;
}

/** To a child: it must wait for a Job, and load these modules meanwhile. */
export interface Wait {
  readonly holdfast: 'wait';
  readonly preload: readonly string[];
}

/** To a child: its identity and its work. */
export interface Job {
  readonly holdfast: 'job';
  readonly identity: Identity;
  readonly plan: StartPlan;
  readonly target: TargetReference;
  /** The arguments, from pack(). */
  readonly payload: Uint8Array;
  /** The working directory; undefined if it was removed. */
  readonly directory: string | undefined;
  /** Given to an idle child only, because that was started with an older environment. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined;
}

/** To a child: the objects in its result have been opened. */
export interface Taken {
  readonly holdfast: 'taken';
}

/** From a child. */
export type Report =
  | { readonly holdfast: 'attached' }
  | Result
  | { readonly holdfast: 'preload-failed'; readonly module: string; readonly reason: string };

/** From a child: what its target returned or threw. */
export interface Result {
  readonly holdfast: 'result';
  /** What was returned, or a Thrown, from pack(). */
  readonly payload?: Uint8Array;
  readonly isThrown?: boolean;
  /** True if objects are in it: the child keeps them open until it hears that they were taken. */
  readonly hasObjects?: boolean;
  /** Why what was returned cannot be sent. */
  readonly refused?: string;
}

/** What a child is started with. What is left out is as this process has it. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly stdio?: readonly ProcessStream[] | undefined;
  readonly execArgv?: readonly string[] | undefined;
}

/** Where a standard stream of a child leads. */
export type ProcessStream = 'inherit' | 'ignore' | 'pipe';

/** Options whose value is the next argument, unless it is given after an equals sign. */
const withValue = [
  '-e|-p|-pe|--eval|--print|--input-type|--run|--watch-path',
  '--(inspect|debug)-port',
  '--test-(name-pattern|skip-pattern|reporter|reporter-destination|concurrency|timeout|shard)',
  '--test-(coverage.*|isolation|global-setup)',
  '--experimental-test-isolation',
];
const isWithValue = new RegExp(`^(${withValue.join('|')})$`);

/** Options that name another program. */
const otherProgram = [
  '-e|-p|-pe|-c|-i|--eval|--print|--check|--interactive|--input-type|--run|--watch.*',
  '--test.*|--experimental-test.*|--build-snapshot.*|--experimental-sea-config',
];
const isOtherProgram = new RegExp(`^(${otherProgram.join('|')})(=|$)`);
const isInspector = /^--(inspect.*|debug-port)(=|$)/;

/** With such an option node would not run the program of a child. */
export function namesProgram(option: string): boolean {
  return isOtherProgram.test(option);
}

/**
 * The options of this process that a child inherits, such as loaders, conditions and memory limits.
 * It does not inherit options that name another program (--eval, --test, --watch). It does not
 * inherit the inspector's options either, because the port is taken.
 */
export function inheritedOptions(options: readonly string[]): string[] {
  const inherited: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    if (!namesProgram(option) && !isInspector.test(option)) inherited.push(option);
    else if (isWithValue.test(option)) i++;
  }
  return inherited;
}

const entry = path.join(__dirname, 'child.js');

/**
 * The directory in which children start, because relative paths of `--import` and `--require` count
 * from here.
 */
const firstDirectory = currentDirectory();

export function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it was removed
  }
}

const inspector = /(^|\s)--inspect(-\w+)*(=\S+)?(?=\s|$)/g;

/**
 * A child finds the objects in its arguments in one directory only. So it has the HOLDFAST_DIR of
 * this process, unless `env` names another.
 */
export function childEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  const { NODE_OPTIONS } = env;
  const { HOLDFAST_DIR } = process.env;
  return {
    ...(HOLDFAST_DIR !== undefined && { HOLDFAST_DIR }),
    ...env,
    // A child of a test file of node:test is not a test file.
    NODE_TEST_CONTEXT: undefined,
    // The inspector's port is taken.
    ...(NODE_OPTIONS && { NODE_OPTIONS: NODE_OPTIONS.replace(inspector, '') }),
  };
}

/**
 * The longest name, in characters, that a child is told at its birth, because the environment has
 * limited room. The Job has the whole name.
 */
const longestNameAtBirth = 4096;

/** The identity of a child that waits. It is a daemon, because it ends with its parent. */
function idleIdentity(): Identity {
  return {
    name: 'forkserver',
    daemon: true,
    lineage: [],
    parent: { name: identity().name, pid: process.pid },
    mainModule: mainModule(),
  };
}

/** True also where the permission model of Node does not let this process look. */
function isThere(directory: string): boolean {
  try {
    return existsSync(directory);
  } catch {
    return true;
  }
}

/**
 * Starts a child, which then waits for a message. `own` is the identity of the child. Without it
 * the child is idle, and waits for a Job. The child knows its identity from its first instruction
 * on, before any preloaded module runs. Unless `surroundings` say otherwise, it has the standard
 * output and error of this process. It has no standard input, because of two readers of one stream
 * each would get a part.
 *
 * @throws ProcessError if the system has no room for it.
 */
export function launch(
  own: Identity = idleIdentity(),
  { env, stdio = ['ignore', 'inherit', 'inherit'], execArgv }: Surroundings = {},
): ChildProcess {
  const cwd = firstDirectory !== undefined && isThere(firstDirectory) ? firstDirectory : undefined;
  // The child's argv[1] is its own entry, so that no module takes itself for the main one. The rest
  // are the arguments of the program, as in Python.
  const argv = process.argv.slice(mainModule() === null ? 1 : 2);
  const atBirth = { ...own, name: own.name.slice(0, longestNameAtBirth) };
  let child: ChildProcess;
  try {
    child = fork(entry, argv, {
      execArgv: [...(execArgv ?? inheritedOptions(process.execArgv))],
      serialization: 'advanced',
      stdio: [...stdio, 'ipc'],
      cwd,
      env: { ...childEnvironment(env), ...birthCertificate(entry, atBirth) },
    });
  } catch (cause) {
    const isForbidden = (cause as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
    throw new ProcessError(
      isForbidden
        ? 'the permission model of Node lets this process start no other: add --allow-child-process'
        : 'the system cannot start another process',
      { cause },
    );
  }
  // A child that could not be started has no pid. Other errors show in the exit code.
  child.on('error', () => {});
  if (child.pid === undefined) throw new ProcessError('the system cannot start another process');
  return child;
}

/** Says whether a child keeps this process alive. */
export function countChild(child: ChildProcess, counts: boolean): void {
  try {
    if (counts) child.ref();
    else child.unref();
  } catch {
    // In Deno that throws between the end of the child and the event that tells of it.
  }
}

/**
 * Says whether the channel to a child, or to the parent, keeps this process alive. In Bun it has no
 * say in that.
 */
export function countChannel(end: ChildProcess | NodeJS.Process, counts: boolean): void {
  if (counts) end.channel?.ref?.();
  else end.channel?.unref?.();
}
