// `npm run demo -- NAME [arguments]` runs demos/NAME.ts; without a name, all of them in turn.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { die, isMain, root } from './common.mjs';

const directory = path.join(root, 'demos');

/** The demos, in the order of the lesson. */
export const names = [
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
    // So that tsx leaves nothing in the temporary directory.
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
  });
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : code));
  });
}

if (isMain(import.meta)) {
  const [name, ...args] = process.argv.slice(2);
  if (name !== undefined && !names.includes(name)) {
    die(`no demo ${name}; there are: ${names.join(', ')}`);
  }
  // Ctrl-C reaches the demo directly. This script goes on, and passes the exit code of the demo on.
  process.on('SIGINT', () => {});
  for (const each of name === undefined ? names : [name]) {
    console.log(`\n=== ${each} ===`);
    process.exitCode = await run(each, args);
    if (process.exitCode !== 0) break;
  }
}
