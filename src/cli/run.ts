// `holdfast run`: a command that holds a lock while it runs, as flock(1) does it.
import path from 'node:path';
import {
  BoundedSemaphore,
  type Guard,
  IncompatibleError,
  Lock,
  ReadWriteLock,
  TimeoutError,
  type WaitOptions,
  list,
} from '../index.js';
import { endsAfterItsWaits } from '../deadlocks/command.js';
import { Hold, runInside } from '../holds/context.js';
import type { Native } from '../native/bindings.js';
import { now } from '../waiting/clock.js';
import { nameProcess, runHolding } from './child.js';
import {
  type Command,
  type Options,
  UsageError,
  type Values,
  choiceOption,
  exit,
  numberOption,
  read,
  say,
  waitOf,
  waitOptions,
} from './command.js';

const options = {
  shared: { type: 'boolean', short: 's' },
  exclusive: { type: 'boolean', short: 'x' },
  permits: { type: 'string' },
  ...waitOptions,
  'exit-code': { type: 'string', short: 'E' },
  abandoned: { type: 'string' },
  verbose: { type: 'boolean', short: 'v' },
} satisfies Options;

const help = `usage: holdfast run [options] NAME [--] COMMAND [arguments]
       holdfast run [options] NAME -c 'COMMAND LINE'

Waits for the lock NAME, runs COMMAND while holding it, and ends with its exit code. The lock is
that of new Lock({ name: NAME }) in a Node program. If a ReadWriteLock or a BoundedSemaphore has
that name, it is acquired exclusively, or one permit of it.

  -s, --shared       acquire the ReadWriteLock NAME shared
  -x, --exclusive    acquire the ReadWriteLock NAME exclusively; makes one if there is nothing
      --permits N    acquire one of N permits of the BoundedSemaphore NAME
  -w, --timeout S    wait for S seconds at the most; fractions count
  -n, --no-wait      do not wait
  -E, --exit-code N  the exit code if the lock was not to be had in time; 1 without it
      --abandoned=X  what to do if the last holder died while it held the lock
          run          run the command all the same (the default)
          fail         do not run it; the next one is told as well
          ask-command  run it with HOLDFAST_ABANDONED=1; if it fails, the next one is told as well
  -c                 run the command line by $SHELL -c
  -v, --verbose      say how long it waited

Signals are passed on to the command. SIGINT and SIGQUIT are so only without a terminal, because a
terminal sends them to the command itself. If holdfast is killed, the command runs on and the lock
stays held until the command has ended.

Exit codes: that of the command, or 128 and the number of the signal that ended it; 1 or N not in
time; 64 wrong arguments; 69 the command cannot be started; 70 a deadlock; 71 the system refused
something; 75 the last holder died, with --abandoned=fail.
`;

/** Something to hold. */
interface Target {
  readonly what: string;
  readonly native: Native;
  acquire(wait: WaitOptions): Promise<Guard>;
  close(): void;
}

function ofLock(lock: Lock): Target {
  return {
    what: `Lock ${JSON.stringify(lock.name)}`,
    native: lock.native,
    acquire: (wait) => lock.acquire(wait),
    close: () => lock.close(),
  };
}

function ofReadWriteLock(lock: ReadWriteLock, isShared: boolean): Target {
  return {
    what: `ReadWriteLock ${JSON.stringify(lock.name)}`,
    native: lock.native,
    acquire: (wait) => (isShared ? lock.acquireShared(wait) : lock.acquireExclusive(wait)),
    close: () => lock.close(),
  };
}

function ofSemaphore(semaphore: BoundedSemaphore): Target {
  return {
    what: `BoundedSemaphore ${JSON.stringify(semaphore.name)}`,
    native: semaphore.native,
    acquire: (wait) => semaphore.acquire(wait),
    close: () => semaphore.close(),
  };
}

/** A Lock; or what has the name already, if a command can hold that. */
function openByName(name: string): Target {
  try {
    return ofLock(new Lock({ name }));
  } catch (error) {
    if (!(error instanceof IncompatibleError)) throw error;
    const kind = list().find((entry) => entry.name === name && entry.format === undefined)?.kind;
    if (kind === 'ReadWriteLock') {
      return ofReadWriteLock(new ReadWriteLock({ name, mustExist: true }), false);
    }
    if (kind === 'BoundedSemaphore') return ofSemaphore(new BoundedSemaphore(undefined, { name }));
    throw error;
  }
}

function openTarget(name: string, values: Values): Target {
  const permits = numberOption(values, 'permits', 1, 4096);
  const { shared, exclusive } = values;
  const asked = [shared, exclusive, permits].filter((one) => one !== undefined);
  if (asked.length > 1) throw new UsageError('take one of --shared, --exclusive and --permits');
  if (permits !== undefined) return ofSemaphore(new BoundedSemaphore(permits, { name }));
  if (shared || exclusive) return ofReadWriteLock(new ReadWriteLock({ name }), shared === true);
  return openByName(name);
}

/**
 * Options stand before NAME, or anywhere before the `--` that may follow NAME. The command is what
 * follows.
 */
function split(args: readonly string[]): [ours: string[], command: string[]] {
  let at = 0;
  while (at < args.length && args[at]!.startsWith('-') && args[at] !== '--') {
    at += takesValue(args[at]!) ? 2 : 1;
  }
  if (args[at] === '--') at++; // NAME may begin with a dash
  const after = args.slice(at + 1);
  const end = after.indexOf('--');
  // `run NAME --timeout 5 -- command`, but not `run NAME command -- its own`.
  const isOurs = end >= 0 && (after[0]?.startsWith('-') ?? false) && !isShell(after);
  if (isOurs) return [args.slice(0, at + 1 + end), after.slice(end + 1)];
  return [args.slice(0, at + 1), isShell(after) ? shell(after) : after];
}

/** Does the next argument belong to this option? */
function takesValue(arg: string): boolean {
  if (arg.includes('=')) return false;
  const name = arg.startsWith('--') ? arg.slice(2) : undefined;
  const known: [string, { type: string; short?: string }][] = Object.entries(options);
  return known.some(
    ([long, { type, short }]) => type === 'string' && (name === long || arg === `-${short}`),
  );
}

const isShell = ([flag]: readonly string[]) => flag === '-c' || flag === '--command';

function shell([, line, ...more]: readonly string[]): string[] {
  if (line === undefined || more.length > 0) {
    throw new UsageError('-c takes exactly one command line');
  }
  return [process.env['SHELL'] || '/bin/sh', '-c', line];
}

async function acquire(target: Target, values: Values): Promise<Guard | undefined> {
  const wait = waitOf(values);
  const before = now();
  try {
    const kept = endsAfterItsWaits();
    const holds = kept === undefined ? [] : [new Hold(kept)];
    const guard = await runInside(holds, () => target.acquire(wait));
    const waited_s = ((now() - before) / 1000).toFixed(3);
    if (values['verbose']) say(`acquired ${target.what} after ${waited_s} s`);
    return guard;
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    if (values['verbose']) say(`${target.what} was not to be had in time`);
    return undefined;
  }
}

async function runCommand(args: string[]): Promise<number> {
  const [ours, command] = split(args);
  const { values, positionals } = read(ours, options, ['NAME']);
  if (command.length === 0) throw new UsageError('COMMAND is missing');
  const inVain = numberOption(values, 'exit-code', 0, 255) ?? exit.negative;
  const choices = ['run', 'fail', 'ask-command'] as const;
  const onAbandoned = choiceOption(values, 'abandoned', choices) ?? 'run';
  nameProcess(`run ${path.basename(command[0]!)}`);
  const target = openTarget(positionals[0]!, values);
  const guard = await acquire(target, values);
  if (guard === undefined) return inVain;
  const env = { ...process.env };
  delete env['HOLDFAST_ABANDONED'];
  if (guard.abandoned) {
    say(`the last holder of ${target.what} died while it held it`);
    // Without a release this thread's end abandons it once more, so that the next one is told.
    if (onAbandoned === 'fail') return exit.abandoned;
    if (onAbandoned === 'ask-command') env['HOLDFAST_ABANDONED'] = '1';
  }
  const code = await runHolding(target.native, command, { env });
  if (guard.abandoned && onAbandoned === 'ask-command' && code !== 0) return code;
  guard.release();
  target.close();
  return code;
}

export const run: Command = {
  summary: 'run a command while holding a lock, as flock(1) does',
  help,
  run: runCommand,
};
