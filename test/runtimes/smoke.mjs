// Does the package work on this runtime? One program, which needs no test runner: it runs on Node,
// Bun and Deno, from the installed tarball. scripts/runtimes.mjs starts it on each of them.
//
//   <runtime> smoke.mjs [words of a title ...]
//
// HOLDFAST_SMOKE_COMMAND is the command that starts a program on this runtime, as JSON: an array.
// HOLDFAST_SMOKE_SKIP is an array, too: the beginnings of titles that this runtime cannot do.
// HOLDFAST_SMOKE_BUFFERS is 'refused' where there is no SharedMemory.
//
// The last line is `N passed, N failed[, N skipped]`.
import process from 'node:process';
import { conditions } from './checks/conditions.mjs';
import { endings } from './checks/endings.mjs';
import { errors } from './checks/errors.mjs';
import { locks } from './checks/locks.mjs';
import { memory, noMemory } from './checks/memory.mjs';
import { others } from './checks/others.mjs';
import { processes } from './checks/processes.mjs';
import { queues } from './checks/queues.mjs';
import { semaphores } from './checks/semaphores.mjs';
import { endActors } from './actors.mjs';

// The program of a Process imports this module, which is then the main module of a child.
export { add } from './programs/targets.mjs';

const watchdogMs = 3 * 60_000; // an emulated processor is slow
const groups = {
  locks,
  semaphores,
  conditions,
  queues,
  memory: process.env.HOLDFAST_SMOKE_BUFFERS === 'refused' ? noMemory : memory,
  others,
  processes,
  errors,
  endings,
};

/** Runs one check; a check that hangs is a failure. */
async function runCheck(title, check) {
  let watchdog;
  const hung = new Promise((_resolve, reject) => {
    const late = () => reject(new Error(`no end after ${watchdogMs / 1000} s`));
    watchdog = setTimeout(late, watchdogMs);
  });
  try {
    await Promise.race([check(), hung]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(watchdog);
    await endActors();
  }
}

async function runAll(words, skipped) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [group, checks] of Object.entries(groups)) {
    for (const [name, check] of Object.entries(checks)) {
      const title = `${group}: ${name}`;
      if (!words.every((word) => title.includes(word))) continue;
      if (skipped.some((beginning) => title.startsWith(beginning))) {
        counts.skipped++;
        console.log(`skipped ${title}`);
        continue;
      }
      const error = await runCheck(title, check);
      counts[error === undefined ? 'passed' : 'failed']++;
      console.log(error === undefined ? `ok ${title}` : `FAILED ${title}: ${error.stack ?? error}`);
    }
  }
  return counts;
}

const { parentProcess } = await import('holdfast');
if (parentProcess() === null) {
  const skip = JSON.parse(process.env.HOLDFAST_SMOKE_SKIP ?? '[]');
  const { passed, failed, skipped } = await runAll(process.argv.slice(2), skip);
  console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  // A check that hung may have left what keeps the process alive.
  if (failed > 0) process.exit(1);
}
