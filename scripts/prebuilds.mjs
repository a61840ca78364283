// Puts this machine's binary into prebuilds/, so that `npm pack` after it ships it and an install
// there needs no compiler. Run on every kind of machine, then pack the collected prebuilds/.

import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gypTree } from './build.mjs';
import { die, mustRun, root } from './common.mjs';

const require = createRequire(import.meta.url);

try {
  // In a tree of its own: prebuildify rebuilds from nothing, which would remove build/.
  const tree = await gypTree('prebuild');
  await promisify(require('prebuildify'))({
    cwd: tree,
    out: root,
    cache: path.join(tree, 'cache'),
    targets: [process.versions.node],
    napi: true,
    strip: true,
    // glibc and musl binaries lie side by side, and node-gyp-build takes the right one.
    tagLibc: process.platform === 'linux',
  });

  // The finder itself must take it, with build/ out of the way, and it must load.
  const env = { PREBUILDS_ONLY: '1' };
  const find = `
    const file = require('node-gyp-build').resolve(process.cwd());
    const names = Object.keys(require(file));
    const shown = require('node:path').relative(process.cwd(), file);
    console.log('holdfast: ' + shown + ' loads, ' + names.length + ' exports');`;
  await mustRun(process.execPath, ['--input-type=commonjs', '-e', find], { env });
} catch (error) {
  die(error.message);
}
