// The only file that loads the addon.
import path from 'node:path';
import type { NativeAddon } from './bindings.js';

function load(): NativeAddon {
  // Another build of the addon: the posix platform, or one with a sanitizer.
  const chosen = process.env['HOLDFAST_NATIVE'];
  if (chosen) return require(path.resolve(chosen)) as NativeAddon;
  const root = path.resolve(__dirname, '../..');
  const nodeGypBuild = require('node-gyp-build') as (directory: string) => NativeAddon;
  try {
    return nodeGypBuild(root);
  } catch (cause) {
    throw new Error(
      `holdfast has no binary for ${process.platform}-${process.arch} (Node ${process.version}). ` +
        `Looked in ${path.join(root, 'prebuilds')} and ${path.join(root, 'build', 'Release')}. ` +
        `Where a compiler is installed, "npm rebuild holdfast" makes one.`,
      { cause },
    );
  }
}

export const addon = load();
