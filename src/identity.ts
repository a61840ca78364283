// The identity of this process among the Processes of a program. This module imports no other
// module of the package, so that every other module may import it.
import {
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
  threadId,
} from 'node:worker_threads';

/** What a Process is told at its start. Its worker threads know the same. */
export interface Identity {
  readonly name: string;
  readonly daemon: boolean;
  /** [] is the main process, [1] its first child, [1, 2] the second child of that one. */
  readonly lineage: readonly number[];
  readonly parent: { readonly name: string; readonly pid: number } | null;
  /**
   * The URL of the program's main module, the same in the whole tree; null if there is none.
   * Undefined in the program itself, which looks at process.argv.
   */
  readonly mainModule: string | null | undefined;
}

interface Stored extends Identity {
  /** How many Processes all threads of this process have made so far: one Int32. */
  readonly children: SharedArrayBuffer;
}

const key = 'holdfast.process';

/** The environment variable that tells a fresh child what it is: a Birth in JSON. */
const birthVariable = 'HOLDFAST_CHILD';

interface Birth {
  /** The file that the child runs. A program that inherited the variable runs another file. */
  readonly entry: string;
  readonly identity: Identity;
}

/** The variables of the environment that a parent gives to a child which runs `entry`. */
export function birthCertificate(entry: string, given: Identity): Record<string, string> {
  const birth: Birth = { entry, identity: given };
  return { [birthVariable]: JSON.stringify(birth) };
}

/** Removes those variables, because they are not meant for programs that the child starts. */
export function forgetBirth(): void {
  delete process.env[birthVariable];
}

/**
 * What this process was told at its birth; undefined if it is not a Process. It is read before the
 * child's own code runs, because modules that `--import` and `--require` name run earlier. If a
 * preloaded module took the child for the program, it would start another child, without end.
 */
function bornAs(): Identity | undefined {
  const text = process.env[birthVariable];
  if (text === undefined) return undefined;
  let birth: Birth;
  try {
    birth = JSON.parse(text) as Birth;
  } catch {
    return undefined; // somebody else set it
  }
  // A preloaded module may make a worker thread, whose argv[1] is the worker's own file.
  const isOurs = isMainThread
    ? process.argv[1] === birth.entry
    : process.ppid === birth.identity.parent?.pid;
  return isOurs ? birth.identity : undefined;
}

/** The identity of a process that is not a Process of another one. */
const program: Identity = {
  name: 'MainProcess',
  daemon: false,
  lineage: [],
  parent: null,
  mainModule: undefined,
};

/**
 * `loading` is true while a child loads its modules and has not called its target. A start() at
 * that time stands at the top level of a module. Its child would load that module, too, and start
 * another child, without end.
 */
export const startup = ofThread();

/** All copies of this package share it, also those of other versions. */
function ofThread(): { loading: boolean } {
  const symbol = Symbol.for('holdfast.startup');
  const global = globalThis as unknown as Record<symbol, { loading: boolean } | undefined>;
  return (global[symbol] ??= { loading: false });
}

export function identity(): Identity {
  return stored();
}

/** The name that inspect() shows as a holder's `processName`. */
export function processName(): string {
  return stored().name;
}

/** A thread, as users are shown it. */
export interface ThreadFacts {
  readonly pid: number;
  /** 0: the main thread of the process. */
  readonly threadId: number;
  readonly processName: string;
}

export function thisThread(): ThreadFacts {
  const { pid } = process;
  return { pid, threadId: isMainThread ? 0 : threadId, processName: processName() };
}

/** The place of the next child in the tree. As in Python, a Process counts when it is made. */
export function nextLineage(): number[] {
  const { lineage, children } = stored();
  return [...lineage, Atomics.add(new Int32Array(children), 0, 1) + 1];
}

/** Makes this process the one that `given` describes. */
export function become(given: Identity): void {
  setEnvironmentData(key, { ...given, children: new SharedArrayBuffer(4) });
}

/**
 * Kept in the environment data of worker_threads, because a worker thread inherits that from its
 * maker.
 */
function stored(): Stored {
  if (getEnvironmentData(key) === undefined) {
    const born = bornAs();
    if (born) startup.loading = true;
    become(born ?? program);
  }
  return getEnvironmentData(key) as unknown as Stored;
}

stored(); // at once, so that worker threads made from here on share the count with this thread
