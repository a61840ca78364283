// Starting the Node process that a Process runs in, and what is said between the two.
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProcessError } from '../errors.js';
import { type TargetReference, mainModule } from './target.js';
import type { Identity } from '../identity.js';

/** How a tree of processes starts its children; a child inherits it. */
export interface StartPlan {
  readonly method: 'spawn' | 'forkserver';
  /** URLs. */
  readonly preload: readonly string[];
  readonly idle: number;
}

/** To a child: wait, there will be a Job. Meanwhile load this. */
export interface Wait {
  readonly holdfast: 'wait';
  readonly preload: readonly string[];
}

/** To a child: what it is, and what it has to do. */
export interface Job {
  readonly holdfast: 'job';
  readonly identity: Identity;
  readonly plan: StartPlan;
  readonly target: TargetReference;
  /** The arguments, from pack(). */
  readonly payload: Uint8Array;
  readonly directory: string | undefined;
  /** Of an idle child, which was started with an older one. */
  readonly environment: Readonly<Record<string, string | undefined>> | undefined;
}

/** From a child. */
export type Report =
  | { readonly holdfast: 'attached' }
  | { readonly holdfast: 'preload-failed'; readonly module: string; readonly reason: string };

/** The value is the next argument, unless it follows an equals sign. */
const withValue =
  /^(-e|-p|-pe|--eval|--print|--input-type|--(inspect|debug)-port|--run|--watch-path)$/;
const leftOut =
  /^(-e|-p|-pe|-c|-i|--eval|--print|--check|--interactive|--input-type|--inspect.*|--debug-port|--run|--watch.*|--test.*|--experimental-test.*|--build-snapshot.*|--experimental-sea-config)(=|$)/;
const testWithValue =
  /^--(test-(name-pattern|skip-pattern|reporter|reporter-destination|concurrency|timeout|shard|coverage.*|isolation|global-setup)|experimental-test-isolation)$/;

/**
 * Options of this process that a child has too: loaders, conditions, memory limits. Not what names
 * another program (--eval, --test, --watch), and not the inspector's port, which is taken.
 */
export function inheritedOptions(options: readonly string[]): string[] {
  const inherited: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    if (!leftOut.test(option)) inherited.push(option);
    else if (withValue.test(option) || testWithValue.test(option)) i++;
  }
  return inherited;
}

const entry = fileURLToPath(new URL('./child-entry.cjs', import.meta.url));

/** `--import` and `--require` may name what is found from here only. */
const firstDirectory = currentDirectory();

export function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined; // it was removed
  }
}

const inspector = /(^|\s)--inspect(-\w+)*(=\S+)?(?=\s|$)/g;

export function childEnvironment(): Record<string, string | undefined> {
  const { NODE_OPTIONS } = process.env;
  return {
    ...process.env,
    // A child of a test file is not a test file.
    NODE_TEST_CONTEXT: undefined,
    // The inspector's port is taken.
    ...(NODE_OPTIONS && { NODE_OPTIONS: NODE_OPTIONS.replace(inspector, '') }),
  };
}

/**
 * Starts a child, which waits for a message. Standard output and error are ours, and there is no
 * standard input: two readers of one stream would each get a part.
 *
 * @throws ProcessError if the system has no room for it.
 */
export function launch(): ChildProcess {
  const cwd =
    firstDirectory !== undefined && existsSync(firstDirectory) ? firstDirectory : undefined;
  // argv[1] is the child's own entry, so that no module takes itself for the main one; the rest is
  // the program's, as in Python.
  const argv = process.argv.slice(mainModule() === null ? 1 : 2);
  let child: ChildProcess;
  try {
    child = fork(entry, argv, {
      execArgv: inheritedOptions(process.execArgv),
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      cwd,
      env: childEnvironment(),
    });
  } catch (cause) {
    throw new ProcessError('the system cannot start another process', { cause });
  }
  // What it says is in the exit code, or in that there is no pid.
  child.on('error', () => {});
  if (child.pid === undefined) throw new ProcessError('the system cannot start another process');
  return child;
}
