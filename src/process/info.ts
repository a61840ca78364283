// Questions that a process can ask about itself.
import os from 'node:os';
import { identity } from '../identity.js';

/** A process, as it sees itself. */
export interface CurrentProcess {
  /** `MainProcess`, `Process-1`, the second child of that one `Process-1:2`, or the name it was given. */
  readonly name: string;
  readonly pid: number;
  /** Ends with its parent. */
  readonly daemon: boolean;
}

/** The process that started this one. */
export interface ParentProcess {
  readonly name: string;
  readonly pid: number;
  /** Does it still run? Asks the operating system; does not block. */
  alive(): boolean;
}

/** This process; Python's `current_process()`. The same in all its threads. Does not block. */
export function currentProcess(): CurrentProcess {
  const { name, daemon } = identity();
  return { name, pid: process.pid, daemon };
}

/**
 * The process whose Process this is; null if none started it as one. Python's `parent_process()`. Does
 * not block.
 */
export function parentProcess(): ParentProcess | null {
  const { parent } = identity();
  if (parent === null) return null;
  // An orphan gets another parent at once, so a number that is used again deceives nobody.
  return { ...parent, alive: () => process.ppid === parent.pid };
}

/** Processors that this process may use; Python's `cpu_count()`, within its limits. */
export function cpuCount(): number {
  return os.availableParallelism();
}
