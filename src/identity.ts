// Who this process is among the Processes of a program. It imports nothing of the package, so that
// everything may ask.
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** What a Process is born with; worker threads that it starts have the same. */
export interface Identity {
  readonly name: string;
  readonly daemon: boolean;
  /** [] is the main process, [1] its first child, [1, 2] the second child of that one. */
  readonly lineage: readonly number[];
  readonly parent: { readonly name: string; readonly pid: number } | null;
  /** The main module of the program: the same in the whole tree. Undefined: look at process.argv. */
  readonly mainModule: string | null | undefined;
}

interface Stored extends Identity {
  /** How many children were made so far, by all threads. */
  readonly children: SharedArrayBuffer;
}

const key = 'holdfast.process';

/**
 * Loading, and not yet at its target: a start() now would come from the top level of a module that
 * every child loads again, and so on without end.
 */
export const startup = { loading: false };

export function identity(): Identity {
  return stored();
}

/** What inspect() shows as the holder's process. */
export function processName(): string {
  return stored().name;
}

/** The place in the tree of the next child, as Python counts: made, not started. */
export function nextLineage(): number[] {
  const { lineage, children } = stored();
  return [...lineage, Atomics.add(new Int32Array(children), 0, 1) + 1];
}

/** A child learns who it is. */
export function become(given: Identity): void {
  setEnvironmentData(key, { ...given, children: new SharedArrayBuffer(4) });
}

/** Environment data, because that is what a worker thread gets from the thread that makes it. */
function stored(): Stored {
  if (getEnvironmentData(key) === undefined) {
    become({
      name: 'MainProcess',
      daemon: false,
      lineage: [],
      parent: null,
      mainModule: undefined,
    });
  }
  return getEnvironmentData(key) as unknown as Stored;
}

stored(); // now, so that workers which are made from here on count with the main thread
