// Runs a driver of test/: a program that starts processes, does harm to them, and ends with 0 if
// all that must hold has held. It is a child of the script that is called here, so that nobody is
// left when it has ended, and nothing may be. The last line is `N passed, N failed`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { root } from './common.mjs';

/** `run` resolves to the exit code; `sandbox` is asked what was left behind and removed. */
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
 * Starts the driver with its plan as JSON. It uses the harness of the tests, which is TypeScript.
 */
export async function runDriver(file, plan, env) {
  const driver = fork(file, [JSON.stringify(plan)], {
    cwd: root,
    execArgv: ['--import', 'tsx'],
    // tsx would keep what it compiled in the system's temporary directory.
    env: { ...process.env, ...env, TSX_DISABLE_CACHE: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => driver.kill(signal));
  const [code] = await once(driver, 'exit');
  return code;
}
