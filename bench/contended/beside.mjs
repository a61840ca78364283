// Runs a contestant beside busy processes, as on a server that has other work:
//
//   node contended/beside.mjs <how many> <command line of the contestant>

import { spawn, spawnSync } from 'node:child_process';

const [count, program, ...args] = process.argv.slice(2);
// They end by themselves if this process is killed.
const end = Date.now() + 60_000;
const busy = Array.from({ length: Number(count) }, () =>
  spawn(process.execPath, ['--eval', `while (Date.now() < ${end});`], { stdio: 'inherit' }),
);
const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
for (const process of busy) process.kill('SIGKILL');
if (error) throw error;
process.exitCode = status ?? 1;
