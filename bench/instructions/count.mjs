// Counts instructions: runs a program of `lock` twice under Valgrind, with n pairs and with 2n, and
// takes the difference. Start, warm-up and end are in both and cancel; what is left is n pairs.
//
//   node instructions/count.mjs <n> <program> <argument ...>     pairs are added as last argument
//
// Counted is what the CPU runs in user mode, in the program and all its libraries; what the kernel
// does is not. Hardware counters would be quicker, but most virtual machines do not lend them out.

import { execFile, execFileSync } from 'node:child_process';
import { devNull } from 'node:os';

const valgrind = [
  '--tool=callgrind',
  `--callgrind-out-file=${devNull}`,
  // Needed because a just-in-time compiler writes over code that has run already.
  '--smc-check=all-non-file',
];
const LIMIT_MS = 50_000;

const [pairs, name, ...args] = process.argv.slice(2);
const n = Number(pairs);
const program = name === 'python3' ? interpreter() : name;
// Both at the same time: unlike times, counts do not change when other programs run.
const counts = await Promise.allSettled([collected(n), collected(2 * n)]);
const failed = counts.find(({ status }) => status === 'rejected');
if (failed) {
  console.error(`error: ${failed.reason}`);
  process.exit(1);
}
const [once, twice] = counts.map(({ value }) => value);
console.log(JSON.stringify({ instructions: [(twice - once) / n] }));

/** The `python3` of a version manager is a shell script, which Valgrind cannot run. */
function interpreter() {
  const script = 'import sys; print(sys.executable)';
  return execFileSync(name, ['-c', script], { encoding: 'utf8' }).trim();
}

function collected(times) {
  return new Promise((resolve, reject) => {
    const command = [...valgrind, program, ...args, String(times)];
    execFile('valgrind', command, { timeout: LIMIT_MS }, (error, _, stderr) => {
      const count = /Collected : (\d+)/.exec(stderr)?.[1];
      if (!error && count !== undefined) resolve(Number(count));
      else reject(error?.killed ? `not done in ${LIMIT_MS} ms` : stderr.trim().split('\n').at(-1));
    });
  });
}
