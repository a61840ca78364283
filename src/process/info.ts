// What a process can ask about itself.
import os from 'node:os';
import { identity } from '../identity.js';

/** This process, as currentProcess() describes it. */
export interface CurrentProcess {
  /**
   * The name that its Process was given. Without one `MainProcess` is the main process, `Process-1`
   * its first child, and `Process-1:2` the second child of that one.
   */
  readonly name: string;
  /** The process id. */
  readonly pid: number;
  /** True if it ends with its parent. */
  readonly daemon: boolean;
}

/** The process that started this one, as parentProcess() describes it. */
export interface ParentProcess {
  /** Its name, as its own currentProcess() has it. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** True while it runs. Asks the operating system. Does not block. */
  alive(): boolean;
}

/**
 * Describes this process; Python's `current_process()`. It is the same in all threads of the
 * process. Does not block.
 */
export function currentProcess(): CurrentProcess {
  const { name, daemon } = identity();
  return { name, pid: process.pid, daemon };
}

/**
 * Describes the process that started this one as a Process; null if this one was started in another
 * way, as the program itself is. Python's `parent_process()`. Does not block.
 */
export function parentProcess(): ParentProcess | null {
  const { parent } = identity();
  if (parent === null) return null;
  // The system gives an orphan another parent at once. So another process that gets the dead
  // parent's pid is not mistaken for the parent.
  return { ...parent, alive: () => process.ppid === parent.pid };
}

/**
 * The number of processors that this process may use, at least 1. Python's `cpu_count()` counts
 * those of the machine. Does not block.
 */
export function cpuCount(): number {
  return os.availableParallelism();
}
