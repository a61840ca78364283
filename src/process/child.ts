// The program of a child: it waits for its Job, does it, and ends. launch.ts starts it, and no
// module imports it.
//
// All of it is loaded before the event loop turns. So it listens before the Job can have arrived,
// and before its parent can have ended.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import '../index.js'; // an idle child loads the package before its Job comes
import { inheritPlan } from './forkserver.js';
import { type Job, type Report, type Wait, countChannel } from './launch.js';
import { type Outcome, sendOutcome } from './outcome.js';
import { loadTarget } from './load.js';
import { mainModule } from './target.js';
import { activeChildren } from './process.js';
import { become, forgetBirth, identity, startup } from '../identity.js';
import { addon } from '../native/load.js';
import { shown } from '../records/thrown.js';
import { unpack } from './arguments.js';
import { setBetweenSlices } from '../waiting/blocking-wait.js';

/** Node's exit code for a main module that waits for something that can no longer come. */
const unsettledExitCode = 13;

let preloaded: Promise<void> = Promise.resolve();
/** True once the Job has come. */
let begun = false;
/** True once the target has returned or thrown, or waits for something that cannot come. */
let settled = false;

forgetBirth(); // identity.ts has read it

process.on('message', onMessage);
process.on('disconnect', onOrphaned);
// A target that blocks its thread does not hear that the channel has ended. So it checks between
// slices.
const starter = process.ppid;
setBetweenSlices(() => {
  if (process.ppid !== starter) onOrphaned();
});
if (!process.connected) onOrphaned();

function onMessage(message: Wait | Job): void {
  if (message?.holdfast === 'wait') {
    // Ctrl-C in a terminal is meant for processes that work, and this one only waits. If Ctrl-C
    // ends the parent, the end of the channel ends this process.
    process.on('SIGINT', ignore);
    preloaded = preload(message.preload);
  } else if (message?.holdfast === 'job') {
    process.off('message', onMessage);
    // From here on only the work of the target keeps this process alive.
    countChannel(process, false);
    begun = true;
    become(message.identity);
    // A target that computes without a pause hears of nothing.
    if (identity().daemon) addon.endWithParent(starter);
    setClusterProgram();
    process.on('beforeExit', onNothingLeft);
    void preloaded.then(() => run(message));
  }
}

function ignore(): void {}

/** Called when the parent is gone. That ends a child without a Job, and a daemon. */
function onOrphaned(): void {
  if (!begun || identity().daemon) process.exit(1);
}

/**
 * Loads each module by itself. If one cannot be loaded, the others still are. A Process that needs
 * it will fail to load it again, and report that.
 */
async function preload(modules: readonly string[]): Promise<void> {
  for (const module of modules) {
    try {
      await import(module);
    } catch (error) {
      report({ holdfast: 'preload-failed', module, reason: String(error) });
    }
  }
}

function report(message: Report): void {
  // Without a channel the parent is gone.
  if (process.connected) process.send?.(message, () => {});
}

async function run(job: Job): Promise<void> {
  process.off('SIGINT', ignore);
  let outcome: Outcome;
  try {
    enter(job);
    const args = unpack(job.payload) as unknown[];
    report({ holdfast: 'attached' });
    const target = await loadTarget(job.target);
    startup.loading = false;
    outcome = { value: (await target(...args)) as unknown };
  } catch (error) {
    // The objects in the arguments may have ended with the parent, and nobody wants to know.
    if (process.ppid !== starter) onOrphaned();
    process.exitCode = 1;
    process.stderr.write(`Process ${job.identity.name}:\n${shown(error)}\n`);
    outcome = { error };
  }
  settled = true;
  await sendOutcome(outcome);
  await finish();
}

/** Gives this process the directory and environment that a child started now would have. */
function enter(job: Job): void {
  inheritPlan(job.plan);
  if (job.directory !== undefined) process.chdir(job.directory);
  const { environment } = job;
  if (environment === undefined) return;
  for (const key of Object.keys(process.env)) {
    if (environment[key] === undefined) delete process.env[key];
  }
  for (const [key, value] of Object.entries(environment)) {
    if (value !== undefined && process.env[key] !== value) process.env[key] = value;
  }
}

/**
 * cluster.fork() runs argv[1] again, which in a child is this file. A worker of a cluster must run
 * the program, as it does in any other process.
 */
function setClusterProgram(): void {
  const main = mainModule();
  if (main?.startsWith('file:')) Object.assign(cluster.settings, { exec: fileURLToPath(main) });
}

/** The event loop is empty. If the target has not settled, nothing can settle it any more. */
function onNothingLeft(): void {
  if (settled) return;
  settled = true;
  process.exitCode = unsettledExitCode;
  process.stderr.write(
    `Process ${identity().name}: the target waits for something that cannot come: ` +
      'nothing is pending\n',
  );
  void finish();
}

/** Ends this process as Python does: it terminates its daemons and waits for its other children. */
async function finish(): Promise<void> {
  const children = activeChildren();
  for (const child of children) if (child.daemon) child.terminate();
  await Promise.all(children.map((child) => child.join()));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
}

/**
 * Waits until a stream has written everything. A pipe takes only as much as its reader has room
 * for, and process.exit() would drop the rest.
 */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}
