// `npm run demo -- NAME [arguments]` runs demos/NAME.mjs or demos/NAME.ts; without a name it lists
// them.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { die, root } from './common.mjs';

const directory = path.join(root, 'demos');
const extensions = ['.mjs', '.ts'];

function names() {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => extensions.includes(path.extname(file)))
    .map((file) => path.parse(file).name);
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  console.log(`usage: npm run demo -- NAME\n\n${names().join('\n')}`);
} else {
  if (!names().includes(name)) die(`no demo ${name}; there are: ${names().join(', ')}`);
  const extension = extensions.find((each) => existsSync(path.join(directory, name + each)));
  const loader = extension === '.ts' ? ['--import', 'tsx'] : [];
  const file = path.join(directory, name + extension);
  const child = spawn(process.execPath, [...loader, file, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  // Ctrl-C reaches the demo by itself; this script stays to pass its exit code on.
  process.on('SIGINT', () => {});
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
  });
}
