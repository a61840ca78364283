// `npm run demo -- NAME [arguments]` runs demos/NAME.ts. Without a name it runs the lesson: all of
// them but `cluster`.

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

/** Those that run only by name, because they need a server, or start one. */
const others = ['cluster'];

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
  const known = [...names, ...others];
  if (name !== undefined && !known.includes(name)) {
    die(`no demo ${name}; there are: ${known.join(', ')}`);
  }
  // Ctrl-C reaches the demo directly. This script goes on, and passes the exit code of the demo on.
  process.on('SIGINT', () => {});
  for (const each of name === undefined ? names : [name]) {
    console.log(`\n=== ${each} ===`);
    process.exitCode = await run(each, args);
    if (process.exitCode !== 0) break;
  }
}
