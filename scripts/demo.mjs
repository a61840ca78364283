// `npm run demo -- NAME [arguments]` runs demos/NAME.ts; without a name, all of them in turn.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { die, root } from './common.mjs';

const directory = path.join(root, 'demos');

// In the order of the lesson.
const names = [
  'faulty-queue',
  'fixed-queue',
  'fixed-queue-fair',
  'rlock',
  'rlock-slow',
  'killed-holder',
];

function run(name, args) {
  const file = path.join(directory, `${name}.ts`);
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    cwd: root,
    stdio: 'inherit',
    // Nothing is left in the temporary directory.
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
}

const [name, ...args] = process.argv.slice(2);
if (name !== undefined && !names.includes(name)) {
  die(`no demo ${name}; there are: ${names.join(', ')}`);
}
// Ctrl-C reaches the demo by itself; this script stays to pass its exit code on.
process.on('SIGINT', () => {});
for (const each of name === undefined ? names : [name]) {
  console.log(`\n=== ${each} ===`);
  process.exitCode = await run(each, args);
  if (process.exitCode !== 0) break;
}
