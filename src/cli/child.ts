// Runs a command that keeps what this process holds for as long as it runs.
//
// Others take a holder for alive while its doorbell has a reader, and an object for used while
// somebody has a flock on its file (docs/adr/0004-doorbell.md). Both belong to open descriptions,
// which a child inherits. So the command gets both descriptors, as with flock(1): if this process
// is killed, the kernel keeps the hold until the command has ended, and the next holder is told
// that the last one died. docs/adr/0055-held-by-the-command.md says more.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isatty } from 'node:tty';
import { commandEnvironment } from '../deadlocks/command.js';
import { waitsForCommand } from '../deadlocks/command-wait.js';
import { become, identity } from '../identity.js';
import type { Native } from '../native/bindings.js';
import { addon } from '../native/load.js';
import { exit, say } from './command.js';

/** What other processes see as the name of this one: at most 31 bytes of it. */
export function nameProcess(name: string): void {
  become({ ...identity(), name });
}

/**
 * Signals that are meant for the command. A terminal sends the first two to every process in the
 * foreground itself, so they are passed on only without one.
 */
const ofTerminal = ['SIGINT', 'SIGQUIT'] as const;
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/**
 * process.stdin must not be touched for it: Node would make the pipe non-blocking that is the
 * standard input of the command as well.
 */
const hasTerminal = () => [0, 1, 2].some((fd) => isatty(fd));

interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the standard input of the command, which is otherwise ours. */
  readonly input?: string;
  readonly onStart?: (pid: number) => void;
}

/** The descriptors of an object, each at its own number, so that none of the command's is hit. */
function stdioFor(native: Native, hasInput: boolean): [StdioOptions, number[]] {
  const inherited = addon.common.forChild(native);
  if (inherited.includes(-1)) {
    for (const fd of inherited) if (fd !== -1) closeSync(fd);
    throw new Error('no file descriptor is left for the command');
  }
  const length = Math.max(...inherited) + 1;
  const stdio = Array.from({ length }, (): number | 'inherit' | 'ignore' | 'pipe' => 'ignore');
  stdio.splice(0, 3, hasInput ? 'pipe' : 'inherit', 'inherit', 'inherit');
  for (const fd of inherited) stdio[fd] = fd;
  return [stdio, inherited];
}

/**
 * Runs a command that keeps what this process holds of the object. Resolves to the exit code of the
 * command; 128 and the number of the signal that ended it.
 */
export function runHolding(
  native: Native,
  command: readonly string[],
  options: ChildOptions = {},
): Promise<number> {
  const [stdio, inherited] = stdioFor(native, options.input !== undefined);
  const env = { ...(options.env ?? process.env), ...commandEnvironment() };
  let hasEnded: (() => void) | undefined;
  const onStart = (pid: number) => (hasEnded = waitsForCommand(path.basename(command[0]!), pid));
  const ended = runCommand(command, { ...options, env, onStart }, stdio, inherited);
  return ended.finally(() => hasEnded?.());
}

/** Runs a command; `inherited` are descriptors that are only the command's from here on. */
export function runCommand(
  [file, ...args]: readonly string[],
  options: ChildOptions,
  stdio: StdioOptions = 'inherit',
  inherited: readonly number[] = [],
): Promise<number> {
  return new Promise((resolve) => {
    // Before the command can run, or a signal that it provokes would end this process instead.
    const signals = passSignals();
    const child = spawn(file!, args, { stdio, env: options.env ?? process.env });
    signals.to(child);
    if (child.pid !== undefined) options.onStart?.(child.pid);
    for (const fd of inherited) closeSync(fd);
    const end = (code: number) => {
      signals.end();
      resolve(code);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      say(`cannot start ${JSON.stringify(file)}: ${error.message}`);
      end(exit.unavailable);
    });
    child.on('exit', (code, signal) => end(code ?? 128 + os.constants.signals[signal!]));
    // A command that does not read its input is no failure.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

/** From here on signals do not end this process. They are passed on to the command. */
function passSignals(): { to(command: ChildProcess): void; end(): void } {
  let child: ChildProcess | undefined;
  const early: NodeJS.Signals[] = [];
  const listener = (signal: NodeJS.Signals) => {
    const isOfTerminal = (ofTerminal as readonly string[]).includes(signal);
    if (isOfTerminal && hasTerminal()) return;
    if (child === undefined) early.push(signal);
    else child.kill(signal);
  };
  const signals = [...passedOn, ...ofTerminal];
  for (const signal of signals) process.on(signal, listener);
  return {
    to(command) {
      child = command;
      for (const signal of early) command.kill(signal);
    },
    end() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
