// Runs a driver of test/: a program that starts processes, disturbs them, and ends with exit code 0
// if all promises have held. It runs as a child of the calling script, which then checks that no
// process and no file is left. The last line is `N passed, N failed`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { root } from './common.mjs';

/** `run` resolves to the exit code. `sandbox` finds and removes what was left behind. */
export async function drive(sandbox, run) {
  try {
    const code = await run();
    const left = await sandbox.leftovers(-1);
    for (const entry of left) console.error(`VIOLATION left behind: ${entry}`);
    const failed = Number(code !== 0) + Number(left.length > 0);
    console.log(`${2 - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    sandbox.remove();
  }
}

/**
 * Starts the driver with its plan as JSON. The driver uses the harness of the tests, which is
 * TypeScript.
 */
export async function runDriver(file, plan, env) {
  const driver = fork(file, [JSON.stringify(plan)], {
    cwd: root,
    execArgv: ['--import', 'tsx'],
    // Without this tsx would leave compiled code in the system's temporary directory.
    env: { ...process.env, ...env, TSX_DISABLE_CACHE: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => driver.kill(signal));
  const [code, signal] = await once(driver, 'exit');
  if (signal !== null) console.error(`VIOLATION the driver was killed by ${signal}`);
  else if (code > 1) console.error(`VIOLATION the driver ended with exit code ${code}`);
  return code;
}
