// A command as something that is waited for:
//
//   holdfast run A -- holdfast run B -- work
//   holdfast run B -- holdfast run A -- work
//
// The first process of a line keeps its lock until its command has ended. So it waits for the end
// of another process, which is itself a `holdfast run` that waits for a lock. A process is kept by
// each wait without which it does not end. A command has two names, because a shell may be between:
//
//   command AGENT PID    the process that AGENT has started
//   command AGENT        anything that runs below it. A shell may end before what it has started
//                        does. So this name makes suspicions and nothing more: the wait for it pins
//                        nothing, so no wait is certainly blocked by that one
//
// AGENT comes with the environment. A process that is not the command itself has another pid, so
// nobody waits for the name with that pid.
import { isMainThread } from 'node:worker_threads';
import type { HeldHere } from '../holds/context.js';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import type { Pin } from './record.js';

const variable = 'HOLDFAST_COMMAND_OF';

/** What stands for a command where an object has its class. */
export const commandKind = 'Command';
/** No object has it. */
const noTag = 0;
/** A thread has one command at a time. */
const onlyHold = 1;

const state = once('command', () => ({ endsAfterItsWaits: false }));

/** What a command of this thread has in its environment. */
export function commandEnvironment(): NodeJS.ProcessEnv {
  return { [variable]: addon.agentId() };
}

/** The thread in whose command this process runs. */
function runner(): string | undefined {
  const agent = process.env[variable];
  return agent !== undefined && /^\d{1,20}$/.test(agent) ? agent : undefined;
}

export function nameOf(agent: string, pid?: number): string {
  return `${noTag} command ${agent}${pid === undefined ? '' : ` ${pid}`}`;
}

/**
 * The command in which this thread runs, as far as waits of the thread keep it. A blocked main
 * thread does: it cannot end its process.
 */
export function* commandHere(isBlocked: boolean): Generator<Pin, void> {
  const agent = isMainThread ? runner() : undefined;
  if (agent === undefined || (!isBlocked && !state.endsAfterItsWaits)) return;
  for (const resource of [nameOf(agent, process.pid), nameOf(agent)]) {
    yield { resource, hold: onlyHold, mode: 'exclusive' };
  }
}

/**
 * This process does not end before its waits do. Returns what each of them keeps therefore, to be
 * put into its context.
 */
export function endsAfterItsWaits(): HeldHere | undefined {
  state.endsAfterItsWaits = true;
  const agent = runner();
  if (agent === undefined) return undefined;
  const lock = nameOf(agent, process.pid).slice(`${noTag} `.length);
  return { tag: noTag, lock, hold: onlyHold, isShared: false, isReleased: () => false };
}
