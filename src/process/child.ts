// The program of a child: waits for its Job, does it, ends. Started by launch.ts, never imported.
import { inspect } from 'node:util';
import '../index.js'; // so that an idle child has it loaded
import { inheritPlan } from './forkserver.js';
import type { Job, Report, Wait } from './launch.js';
import { find, mainModule, observedMain } from './target.js';
import { activeChildren } from './process.js';
import { become, identity, startup } from '../identity.js';
import { unpack } from './arguments.js';
import { setBetweenSlices } from '../waiting/blocking-wait.js';

/** Node's own for a main module that waits for what cannot come. */
const unsettledExitCode = 13;

/** What process-entry.cts has heard before this module was there. */
interface Early {
  readonly messages: (Wait | Job)[];
  readonly listener: (message: unknown) => void;
}

let preloaded: Promise<void> = Promise.resolve();
let begun = false;
let settled = false;

startup.loading = true;
// Until its Job has come; preloaded modules may open objects.
// It has a parent from the start: a preloaded main module must not take itself for the program.
become({
  name: 'forkserver',
  daemon: true,
  lineage: [],
  parent: { name: 'MainProcess', pid: process.ppid },
  mainModule: null,
});

const key = Symbol.for('holdfast.early');
const { [key]: early } = globalThis as unknown as Record<symbol, Early>;
process.on('message', onMessage);
if (early) {
  process.off('message', early.listener);
  for (const message of early.messages) onMessage(message);
}
process.on('disconnect', onOrphaned);
// A target that blocks its thread does not hear of the end of the channel.
const starter = process.ppid;
setBetweenSlices(() => {
  if (process.ppid !== starter) onOrphaned();
});
if (!process.connected) onOrphaned();

function onMessage(message: Wait | Job): void {
  if (message?.holdfast === 'wait') {
    // Ctrl-C is for those who work. Should it end our parent, we see that.
    process.on('SIGINT', ignore);
    preloaded = preload(message.preload);
  } else if (message?.holdfast === 'job') {
    process.off('message', onMessage);
    // From here on only what the target does keeps the process alive.
    process.channel?.unref();
    begun = true;
    become(message.identity);
    process.on('beforeExit', onNothingLeft);
    void preloaded.then(() => run(message));
  }
}

function ignore(): void {}

/** Our parent is gone, and we are nobody's, or a daemon. */
function onOrphaned(): void {
  if (!begun || identity().daemon) process.exit(1);
}

/** Each one by itself: that one does not load is for the Process to say that needs it. */
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
  // The parent may be gone: then there is nobody to tell.
  if (process.connected) process.send?.(message, () => {});
}

async function run(job: Job): Promise<void> {
  process.off('SIGINT', ignore);
  try {
    enter(job);
    const args = unpack(job.payload);
    report({ holdfast: 'attached' });
    const target = await load(job);
    startup.loading = false;
    await target(...args);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`Process ${job.identity.name}:\n${inspect(error)}\n`);
  }
  settled = true;
  await finish();
}

/** Makes this process what a fresh one would be. */
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

async function load({ target }: Job): Promise<Function> {
  const exports = (await import(target.module)) as Record<string, unknown>;
  if (target.module === mainModule()) observedMain(exports);
  return find(exports, target);
}

/** The event loop is empty, but the target has not settled: nothing can settle it any more. */
function onNothingLeft(): void {
  if (settled) return;
  settled = true;
  process.exitCode = unsettledExitCode;
  process.stderr.write(
    `Process ${identity().name}: the target waits for something that cannot come: nothing is pending\n`,
  );
  void finish();
}

/** As Python ends a process: its daemons are terminated, its other children waited for. */
async function finish(): Promise<void> {
  const children = activeChildren();
  for (const child of children) if (child.daemon) child.terminate();
  await Promise.all(children.map((child) => child.join()));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
}

/** A pipe takes what its reader has room for, and process.exit() would drop the rest. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}
