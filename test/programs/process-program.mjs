// What the programs of the Process tests share: how a scenario is run, and targets that several of
// them export.
import { realpathSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setStartMethod } from 'holdfast';

/** Prints one line of JSON. It is written at once, so that a kill does not take it back. */
export const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);

/** True in the program itself, and false in its children, which import the same module. */
export const isMain = ({ filename }) =>
  process.argv[1] !== undefined && realpathSync(process.argv[1]) === filename;

/** Runs the scenario that the first argument of the program names. Does nothing in a child. */
export async function runScenario(meta, scenarios) {
  if (!isMain(meta)) return;
  if (process.env.METHOD === 'forkserver') setStartMethod('forkserver');
  const scenario = scenarios[process.argv[2]];
  // With `later`, the scenario ends after the main module has been evaluated. Some scenarios test
  // that time.
  if (process.argv[3] === 'later') void scenario();
  else await scenario();
}

/** Returns what `fn` throws, as an array that can be printed. */
export async function refused(fn) {
  try {
    await fn();
    return 'accepted';
  } catch (error) {
    return [error.name, error.code ?? null, error.message];
  }
}

// ---- targets

export function where() {
  say([process.cwd(), process.env.COLOUR ?? null, globalThis.preloaded ?? 0]);
}

export async function slowly(ms, text) {
  await sleep(ms);
  if (text) say(text);
}

export function releases(semaphore, n = 1) {
  semaphore.release(n);
}
